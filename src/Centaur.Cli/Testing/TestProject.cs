using System.Xml.Linq;

namespace Centaur.Cli.Testing;

/// <summary>A project of the solution whose program runs tests.</summary>
/// <param name="Name">Its name, and its program's.</param>
internal sealed record TestProject(string Name)
{
    /// <summary>Those that start every program as a process: not part of the fast loop, and run last.</summary>
    static readonly string[] Slow = ["Centaur.EndToEnd"];

    public bool IsSlow => Slow.Contains(Name);

    /// <summary>In the order in which they run: the quick ones first.</summary>
    public static IReadOnlyList<TestProject> All(SourceTree tree) =>
        [.. XDocument.Load(tree.Solution).Descendants("Project")
            .Select(project => project.Attribute("Path")!.Value)
            .Where(path => path.StartsWith("tests/", StringComparison.Ordinal) && IsProgram(Path.Combine(tree.Root, path)))
            .Select(path => new TestProject(Path.GetFileNameWithoutExtension(path)))
            .OrderBy(project => Array.IndexOf(Slow, project.Name))];

    static bool IsProgram(string path) => XDocument.Load(path).Descendants("OutputType").Any(type => type.Value == "Exe");
}
