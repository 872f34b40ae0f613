using System.Text;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Lists a folder, some levels deep; what is noise in every repository is named and not entered.</summary>
internal sealed class ListFilesTool(WorkspacePaths paths) : IAgentTool
{
    const int MaxEntries = 1000;
    const int MaxDepth = 10;

    static readonly HashSet<string> NotEntered = [".git", "node_modules", "__pycache__", ".venv"];

    public string Name => "list_files";

    public string Description => "Lists files and folders; folders end in a slash.";

    public IReadOnlyList<ToolParameter> Parameters { get; } =
    [
        new("path", "string", "The folder; the workspace unless told.", Required: false),
        new("depth", "integer", "How many levels; 2 unless told.", Required: false),
    ];

    public Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken)
    {
        var root = paths.Full(input.Text("path"));
        var list = new StringBuilder();
        var left = MaxEntries;
        Walk(root, "", Math.Clamp(input.Number("depth", 2), 1, MaxDepth), list, ref left, cancellationToken);
        if (left <= 0)
            list.Append("[There is more.]\n");
        return Task.FromResult(new ToolResult(list.Length > 0 ? list.ToString() : "[The folder is empty.]"));
    }

    static void Walk(string folder, string prefix, int depth, StringBuilder list, ref int left, CancellationToken cancellationToken)
    {
        // A folder of a million files is listed as far as the list goes, and not sorted whole.
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().Take(left + 1).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (--left < 0)
                return;
            var isFolder = entry is DirectoryInfo && entry.LinkTarget is null;
            list.Append(prefix).Append(entry.Name).Append(isFolder ? "/\n" : "\n");
            if (isFolder && depth > 1 && !NotEntered.Contains(entry.Name))
                Enter(entry.FullName, $"{prefix}{entry.Name}/", depth - 1, list, ref left, cancellationToken);
        }
    }

    static void Enter(string folder, string prefix, int depth, StringBuilder list, ref int left, CancellationToken cancellationToken)
    {
        try
        {
            Walk(folder, prefix, depth, list, ref left, cancellationToken);
        }
        catch (UnauthorizedAccessException)
        {
            list.Append(prefix).Append("[permission denied]\n");
        }
    }
}
