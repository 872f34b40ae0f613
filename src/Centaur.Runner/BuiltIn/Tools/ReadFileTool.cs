using System.Globalization;
using System.Text;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Reads a text file, or some lines of it.</summary>
internal sealed class ReadFileTool(WorkspacePaths paths) : IAgentTool
{
    const int DefaultLines = 2000;
    const int MaxCharacters = 100_000;
    const int ProbeBytes = 8192;

    public string Name => "read_file";

    public string Description => "Reads a text file. For a long one give the first line and how many.";

    public IReadOnlyList<ToolParameter> Parameters { get; } =
    [
        new("path", "string", "The file, relative to the workspace or absolute."),
        new("first_line", "integer", "The first line to read; 1 unless told.", Required: false),
        new("lines", "integer", "How many lines; 2000 unless told.", Required: false),
    ];

    public async Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken)
    {
        var path = paths.Full(input.Text("path"));
        var first = Math.Max(1, input.Number("first_line", 1));
        var count = Math.Max(1, input.Number("lines", DefaultLines));
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (await IsBinary(stream, cancellationToken))
            return ToolResult.Error(string.Create(CultureInfo.InvariantCulture, $"This is no text file ({stream.Length} bytes)."));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = new StringBuilder();
        for (var number = 1; await reader.ReadLineAsync(cancellationToken) is { } line; number++)
        {
            if (number < first)
                continue;
            if (number >= (long)first + count || text.Length + line.Length > MaxCharacters)
                return new ToolResult(text.Append(CultureInfo.InvariantCulture, $"[The file goes on at line {number}.]").ToString());
            text.Append(line).Append('\n');
        }

        return new ToolResult(text.Length > 0 ? text.ToString() : "[Nothing there.]");
    }

    static async Task<bool> IsBinary(FileStream stream, CancellationToken cancellationToken)
    {
        var probe = new byte[ProbeBytes];
        var length = await stream.ReadAtLeastAsync(probe, probe.Length, throwOnEndOfStream: false, cancellationToken);
        if (stream.CanSeek)
            stream.Position = 0;
        return probe.AsSpan(0, length).Contains((byte)0);
    }
}
