namespace Centaur.Protocol.Sandbox;

/// <summary>
/// A third-party harness CLI, pinned. It is installed with <c>npm install --prefix FOLDER PACKAGE@VERSION</c> on first use.
/// </summary>
/// <param name="Name">The harness, as <see cref="HarnessLaunch.Driver"/> names it.</param>
/// <param name="NpmPackage">The npm package.</param>
/// <param name="Version">The exact version in the registry.</param>
/// <param name="BinaryRelativePath">The program, below the folder of the installation; it needs no node in the jail.</param>
public sealed record HarnessPin(string Name, string NpmPackage, string Version, string BinaryRelativePath)
{
    /// <summary>What npm is asked to install.</summary>
    public string NpmSpecification => $"{NpmPackage}@{Version}";

    /// <summary>The CLI's own version, without what the registry appends for a platform.</summary>
    public string CliVersion => Version.Split('-')[0];
}

/// <summary>The only place that names versions of harness CLIs.</summary>
public static class HarnessPins
{
    /// <summary>
    /// The package for this platform alone: the general one is a node script of a few kilobytes that fetches the same archive besides.
    /// </summary>
    public static readonly HarnessPin Codex = new("codex", "@openai/codex", "0.169.0-linux-x64", "node_modules/@openai/codex/vendor/x86_64-unknown-linux-musl/bin/codex");

    public static readonly IReadOnlyList<HarnessPin> All = [Codex];
}
