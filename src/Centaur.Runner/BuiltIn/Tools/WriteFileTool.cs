using System.Globalization;
using System.Text;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Writes a whole file and makes the folders above it.</summary>
internal sealed class WriteFileTool(WorkspacePaths paths) : IAgentTool
{
    public string Name => "write_file";

    public string Description => "Writes a file, replacing what was there; missing folders are made.";

    public IReadOnlyList<ToolParameter> Parameters { get; } =
    [
        new("path", "string", "The file, relative to the workspace or absolute."),
        new("content", "string", "The whole text."),
    ];

    public async Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken)
    {
        var path = paths.Full(input.Text("path"));
        var content = input.Text("content");
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(path, content, cancellationToken);
        return new ToolResult(string.Create(CultureInfo.InvariantCulture, $"Wrote {Encoding.UTF8.GetByteCount(content)} bytes to {path}."));
    }
}
