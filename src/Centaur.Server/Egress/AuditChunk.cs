namespace Centaur.Server.Egress;

/// <summary>How far the audit file of a sandbox is stored.</summary>
/// <param name="SandboxId">The sandbox.</param>
/// <param name="Bytes">Where the next line begins.</param>
/// <param name="Lines">The lines before it.</param>
/// <param name="Head">The hash of the last of them.</param>
internal sealed record AuditAnchor(string SandboxId, long Bytes, long Lines, byte[] Head)
{
    public static AuditAnchor Beginning(string sandboxId) => new(sandboxId, 0, 0, AuditChain.Start());
}

/// <param name="Line">The first line that does not hold, counted from one.</param>
/// <param name="Cause">Why, as the end of a sentence that begins with the line.</param>
internal sealed record ChainBreak(long Line, string Cause);

/// <summary>The whole lines of a piece of an audit file, up to the first that does not follow the one before it.</summary>
/// <param name="Lines">Checked, in order.</param>
/// <param name="End">The anchor behind them.</param>
/// <param name="Break">What stands behind them where the chain does not hold; a line that is not written to its end yet is no break.</param>
internal sealed record AuditChunk(IReadOnlyList<AuditLine> Lines, AuditAnchor End, ChainBreak? Break)
{
    /// <summary>No proxy writes a longer one.</summary>
    public const int LongestLine = 64 * 1024;

    /// <param name="from">What the bytes follow.</param>
    /// <param name="bytes">More than one of the longest lines, or the file's rest.</param>
    public static AuditChunk Read(AuditAnchor from, ReadOnlySpan<byte> bytes)
    {
        var lines = new List<AuditLine>();
        var (at, head) = (0, from.Head);
        while (bytes[at..].IndexOf((byte)'\n') is >= 0 and var length)
        {
            var raw = bytes.Slice(at, length);
            if (AuditChain.Follow(head, raw) is not { } hash)
                return Ended("does not follow from the line before it: it was altered, or what stood between them is gone");
            if (length > LongestLine || AuditLine.Read(raw) is not { } line)
                return Ended("is not a record that a proxy writes");
            lines.Add(line);
            (head, at) = (hash, at + length + 1);
        }

        return bytes.Length - at > LongestLine ? Ended("does not end") : new AuditChunk(lines, Anchor(), null);

        AuditChunk Ended(string cause) => new(lines, Anchor(), new ChainBreak(from.Lines + lines.Count + 1, cause));

        AuditAnchor Anchor() => new(from.SandboxId, from.Bytes + at, from.Lines + lines.Count, head);
    }
}
