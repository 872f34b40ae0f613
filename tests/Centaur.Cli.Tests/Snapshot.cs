using Shouldly;

namespace Centaur.Cli.Tests;

/// <summary>Texts that somebody reviewed. To accept a change, run the tests with <c>ACCEPT_SNAPSHOTS</c> set to the folder of the snapshots' sources.</summary>
internal static class Snapshot
{
    public static void Match(string text, string name)
    {
        if (Environment.GetEnvironmentVariable("ACCEPT_SNAPSHOTS") is { Length: > 0 } folder)
            File.WriteAllText(Path.Combine(folder, name), text);
        else
            text.ShouldBe(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Snapshots", name)));
    }
}
