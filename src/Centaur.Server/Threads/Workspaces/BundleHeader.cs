using System.Text;

namespace Centaur.Server.Threads.Workspaces;

/// <summary>
/// The beginning of a git bundle (gitformat-bundle): a line with its version, lines with what it needs and what it brings, an empty line; the pack follows.
/// </summary>
internal static class BundleHeader
{
    const int Longest = 1 << 20;
    static readonly string[] Versions = ["# v2 git bundle\n", "# v3 git bundle\n"];

    /// <summary>Reads the header and leaves the stream where it was; null where it is none, or longer than any repository's.</summary>
    public static async Task<byte[]?> Read(Stream bundle, CancellationToken cancellationToken)
    {
        var begun = bundle.Position;
        var start = new byte[(int)Math.Min(Longest, bundle.Length - begun)];
        await bundle.ReadExactlyAsync(start, cancellationToken);
        bundle.Position = begun;
        var end = start.AsSpan().IndexOf("\n\n"u8);
        return end > 0 && Array.Exists(Versions, version => start.AsSpan().StartsWith(Encoding.ASCII.GetBytes(version))) ? start[..(end + 2)] : null;
    }

    /// <summary>A bundle that leaves out what it builds on cannot be cloned: one of a shallow clone, or of a part of the history.</summary>
    public static bool NeedsMore(byte[] header) => header.AsSpan().IndexOf("\n-"u8) >= 0;
}
