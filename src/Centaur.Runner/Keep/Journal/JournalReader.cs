namespace Centaur.Runner.Keep.Journal;

/// <summary>Reads a journal's lines from one frame on, as they are on disk, whole lines at a time.</summary>
internal sealed class JournalReader(FrameJournal journal, long afterSeq)
{
    const int FirstBufferBytes = 64 * 1024;

    byte[] buffer = new byte[FirstBufferBytes];
    JournalSegment? segment;
    long offset;
    long next = afterSeq + 1;

    /// <summary>The last frame that was read.</summary>
    public long LastSeq => next - 1;

    /// <summary>The next lines, or nothing where nothing is written yet. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Read()
    {
        while (journal.Find(next) is { } found)
        {
            if (!ReferenceEquals(found.Segment, segment))
                Enter(found.Segment, found.Bytes);
            try
            {
                var lines = ReadLines(found.Segment, found.Bytes - offset);
                offset += lines.Length;
                next += lines.Span.Count((byte)'\n');
                return lines;
            }
            catch (ObjectDisposedException)
            {
                // Somebody acknowledged what was not read yet: go on after it.
                segment = null;
                next = Math.Max(next, journal.Acknowledged + 1);
            }
        }

        return default;
    }

    void Enter(JournalSegment found, long written)
    {
        segment = found;
        offset = 0;
        next = Math.Max(next, found.First);
        try
        {
            for (var skip = next - found.First; skip > 0;)
            {
                var lines = ReadLines(found, written - offset).Span;
                while (skip > 0 && lines.IndexOf((byte)'\n') is var end and >= 0)
                {
                    lines = lines[(end + 1)..];
                    offset += end + 1;
                    skip--;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            segment = null;
        }
    }

    ReadOnlyMemory<byte> ReadLines(JournalSegment from, long available)
    {
        while (true)
        {
            var wanted = (int)Math.Min(available, buffer.Length);
            var read = RandomAccess.Read(from.File, buffer.AsSpan(0, wanted), offset);
            var end = buffer.AsSpan(0, read).LastIndexOf((byte)'\n');
            if (end >= 0)
                return buffer.AsMemory(0, end + 1);
            if (read < wanted || read == available)
                throw new IOException("The journal ends in the middle of a frame.");
            buffer = new byte[buffer.Length * 4];
        }
    }
}
