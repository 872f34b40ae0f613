namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Paths as the model writes them: relative ones begin at the workspace. The jail is the boundary, so absolute ones are taken as they are.</summary>
internal sealed class WorkspacePaths(string workspace)
{
    public string Full(string path)
    {
        var home = Path.GetDirectoryName(workspace) ?? workspace;
        var expanded = path == "~" ? home : path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, path[2..]) : path;
        return Path.GetFullPath(expanded.Length == 0 ? "." : expanded, workspace);
    }
}
