using System.Diagnostics;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>The program under test: the one built beside these tests, or the published one that CENTAUR_PROXY_PROGRAM names.</summary>
static class ProxyProgram
{
    static string Path => Environment.GetEnvironmentVariable("CENTAUR_PROXY_PROGRAM") ?? System.IO.Path.Combine(AppContext.BaseDirectory, "centaur-proxy");

    /// <param name="arguments">The command line.</param>
    /// <param name="descriptors">Number in the program → number here.</param>
    /// <param name="environment">Added variables.</param>
    /// <param name="launcher">A program and its arguments that start it in turn.</param>
    public static Process Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<int, int>? descriptors = null, IReadOnlyDictionary<string, string>? environment = null, IEnumerable<string>? launcher = null)
    {
        var redirections = descriptors is null ? "" : string.Concat(descriptors.Select(pair => $" {pair.Key}<&{pair.Value} {pair.Value}<&-"));
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec \"$0\" \"$@\"{redirections}");
        foreach (var argument in (launcher ?? []).Append(Path).Concat(arguments))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }
}
