using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Threads;

/// <summary>Which harnesses there are, and which one a thread gets that names none.</summary>
public sealed record ThreadOptions(string DefaultHarness, IReadOnlyList<string> Harnesses)
{
    public static ThreadOptions Read(Settings settings)
    {
        string[] known = ["codex", "built-in"];
        return new ThreadOptions(settings.Root.Section("harness").Choice("default", "codex", known), known);
    }
}
