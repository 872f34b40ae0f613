using System.Globalization;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Replaces one text in a file. What stands there more than once is not guessed at.</summary>
internal sealed class EditFileTool(WorkspacePaths paths) : IAgentTool
{
    public string Name => "edit_file";

    public string Description => "Replaces a text in a file. The old text must stand there exactly once, unless replace_all is true.";

    public IReadOnlyList<ToolParameter> Parameters { get; } =
    [
        new("path", "string", "The file, relative to the workspace or absolute."),
        new("old_text", "string", "The text to replace, with its exact spaces and line breaks."),
        new("new_text", "string", "What stands there afterwards."),
        new("replace_all", "boolean", "Replace it wherever it stands.", Required: false),
    ];

    public async Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken)
    {
        var path = paths.Full(input.Text("path"));
        var (old, replacement) = (input.Text("old_text"), input.Text("new_text"));
        if (old.Length == 0)
            return ToolResult.Error("old_text is empty; use write_file for a new file.");
        var text = await File.ReadAllTextAsync(path, cancellationToken);
        var found = Count(text, old);
        if (found == 0)
            return ToolResult.Error("old_text does not stand in the file.");
        if (found > 1 && !input.Flag("replace_all"))
            return ToolResult.Error(string.Create(CultureInfo.InvariantCulture, $"old_text stands in the file {found} times; give more of what is around it."));
        await File.WriteAllTextAsync(path, text.Replace(old, replacement, StringComparison.Ordinal), cancellationToken);
        return new ToolResult(string.Create(CultureInfo.InvariantCulture, $"Replaced {found} in {path}."));
    }

    static int Count(string text, string part)
    {
        var count = 0;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
            count++;
        return count;
    }
}
