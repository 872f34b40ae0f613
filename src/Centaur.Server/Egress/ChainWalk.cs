using System.Text;
using Npgsql;

namespace Centaur.Server.Egress;

/// <summary>
/// Recomputes the chain of a sandbox from the rows that are stored, in their order, and names the first that does not hold.
/// <para>1. It begins behind what retention has taken, whose hash the anchor keeps; a row from before that is one too many.</para>
/// <para>2. Rows follow each other by number and by id: a gap is a row that was dropped, a number that comes twice one that was added.</para>
/// <para>3. Each line follows the one before it by its hash: else it was altered, or moved here.</para>
/// <para>4. What is looked for (thread, turn, kind, request, time) says what the line says.</para>
/// <para>5. The last row is the anchor's last line: else the end was dropped, or something was added to it.</para>
/// </summary>
internal sealed class ChainWalk(string sandboxId, StoredAnchor anchor)
{
    // 1.
    long line = anchor.BaseLines;
    byte[] head = anchor.BaseHead;

    public long Rows { get; private set; }

    public EgressFault? Fault { get; private set; }

    public (long Line, long RecordId) After { get; private set; } = (0, 0);

    public void Take(StoredLine row)
    {
        if (Fault is not null)
            return;
        Rows++;
        Fault = Problem(row);
        (line, After) = (row.Number, (row.Number, row.RecordId));
    }

    EgressFault? Problem(StoredLine row)
    {
        // 2.
        if (row.Number <= line)
            return Name(row, row.Number <= anchor.BaseLines ? "stands before all that is kept: it was added" : "is there twice: one of the two was added");
        if (row.Number > line + 1)
            return new EgressFault(sandboxId, line + 1, null, $"is missing: it was dropped (record {row.RecordId} is line {row.Number})");
        if (row.Number > anchor.Lines)
            return Name(row, "was never shipped: it was added");
        if (row.RecordId < After.RecordId)
            return Name(row, "has a smaller id than the line before it: it was moved");
        // 3.
        var bytes = Encoding.UTF8.GetBytes(row.Line.Text);
        if (AuditChain.Follow(head, bytes) is not { } hash)
            return Name(row, "does not follow from the line before it: it was altered, or moved here");
        // 4.
        if (AuditLine.Read(bytes) != row.Line)
            return Name(row, "is not what its columns say: they were altered");
        head = hash;
        return null;
    }

    /// <summary>After the last row.</summary>
    public void End() => Fault ??= Rest();

    // 5.
    EgressFault? Rest()
    {
        if (line < anchor.Lines)
            return new EgressFault(sandboxId, line + 1, null, $"is missing: it was dropped, and all behind it up to line {anchor.Lines}");
        if (!head.AsSpan().SequenceEqual(anchor.Head))
            return new EgressFault(sandboxId, line, null, "is not the last that was shipped: the end of the chain, or its anchor, was altered");
        return anchor.BrokenLine is { } broken ? new EgressFault(sandboxId, broken, null, $"of the file {anchor.BrokenCause}; nothing is stored from there on") : null;
    }

    EgressFault Name(StoredLine row, string what) => new(sandboxId, row.Number, row.RecordId, what);
}

/// <summary>What is known of the chain of a sandbox besides its rows.</summary>
internal sealed record StoredAnchor(long Lines, byte[] Head, long BaseLines, byte[] BaseHead, long? BrokenLine, string BrokenCause)
{
    /// <summary>Of a sandbox of which nothing was ever shipped.</summary>
    public static StoredAnchor None { get; } = new(0, AuditChain.Start(), 0, AuditChain.Start(), null, "");

    public static StoredAnchor Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3), row.IsDBNull(4) ? null : row.GetInt64(4), row.IsDBNull(5) ? "" : row.GetString(5));
}

/// <summary>A row: its line, and what its columns say of the line.</summary>
internal sealed record StoredLine(long RecordId, long Number, AuditLine Line)
{
    public static StoredLine Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1),
        new AuditLine(row.GetString(7), row.GetString(2), Text(row, 3), Text(row, 4), Text(row, 5), row.GetFieldValue<DateTimeOffset>(6)));

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>The first thing that does not hold in the records of a sandbox.</summary>
/// <param name="SandboxId">The sandbox.</param>
/// <param name="Line">The line of its audit file.</param>
/// <param name="RecordId">The row; null where there is none.</param>
/// <param name="What">The end of a sentence that begins with the line.</param>
public sealed record EgressFault(string SandboxId, long Line, long? RecordId, string What);
