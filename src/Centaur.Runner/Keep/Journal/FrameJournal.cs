using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Centaur.Runner.Keep.Journal;

/// <summary>
/// Every frame of a sandbox from its first, in files whose lines are exactly the lines of the attach socket. A frame has been written (<c>write(2)</c>) before
/// anybody is offered it, so it survives <c>kill -9</c> of every process. It is not synced: no sandbox outlives the loss of power.
/// <para>1. Append numbers a frame, writes it to the newest segment and wakes the readers.</para>
/// <para>2. Acknowledge forgets the segments whose frames are all stored elsewhere; the newest one always stays, because its name carries the next number.</para>
/// <para>3. At the cap <see cref="HasRoom"/> is false: whoever reads a harness stops. The keeper's own notices are appended all the same.</para>
/// <para>4. Opening cuts a torn last line.</para>
/// </summary>
internal sealed class FrameJournal : IDisposable
{
    const string Pattern = "*.frames";
    const int SegmentsInCap = 16;
    const long SmallestSegment = 4 * 1024;
    const long LargestSegment = 4 * 1024 * 1024;
    const int UsualBytes = 16 * 1024;

    readonly Lock gate = new();
    readonly string folder;
    readonly long capBytes;
    readonly long segmentBytes;
    readonly List<JournalSegment> segments = [];
    readonly ArrayBufferWriter<byte> frame = new();
    readonly Utf8JsonWriter writer;
    long bytes;

    public FrameJournal(string folder, long capBytes)
    {
        this.folder = folder;
        this.capBytes = capBytes;
        writer = new Utf8JsonWriter(frame, new JsonWriterOptions { SkipValidation = true });
        segmentBytes = Math.Clamp(capBytes / SegmentsInCap, SmallestSegment, LargestSegment);

        // 4.
        foreach (var path in Directory.EnumerateFiles(folder, Pattern).Order(StringComparer.Ordinal))
            segments.Add(JournalSegment.Open(path, long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture)));
        if (segments.Count == 0)
            Roll(1);
        bytes = segments.Sum(segment => segment.Bytes);
    }

    public Pulse Grown { get; } = new();

    public Pulse Shrunk { get; } = new();

    public long LastSeq
    {
        get
        {
            lock (gate)
                return segments[^1].Last;
        }
    }

    public long Acknowledged { get; private set; }

    // 3.
    public bool HasRoom
    {
        get
        {
            lock (gate)
                return bytes < capBytes;
        }
    }

    /// <param name="turn">The turn that runs, or null.</param>
    /// <param name="source">Null for the harness.</param>
    /// <param name="json">The event, one JSON object without a line feed.</param>
    public long Append(string? turn, string? source, ReadOnlySpan<byte> json)
    {
        // 1.
        lock (gate)
        {
            if (segments[^1].Bytes >= segmentBytes)
                Roll(segments[^1].Last + 1);
            var seq = segments[^1].Last + 1;
            var line = Line(seq, turn, source, json);
            segments[^1].Append(line);
            bytes += line.Length;
            Grown.Signal();
            return seq;
        }
    }

    public void Acknowledge(long seq)
    {
        // 2.
        lock (gate)
        {
            Acknowledged = Math.Max(Acknowledged, Math.Min(seq, segments[^1].Last));
            if (segments[^1].Last <= Acknowledged && segments[^1].Bytes >= segmentBytes / 2)
                Roll(segments[^1].Last + 1);
            while (segments.Count > 1 && segments[0].Last <= Acknowledged)
            {
                bytes -= segments[0].Bytes;
                segments[0].Forget();
                segments.RemoveAt(0);
            }
        }

        Shrunk.Signal();
    }

    /// <summary>The segment that holds a frame, or the first one after it, and how much of it is written; null where nothing is.</summary>
    internal (JournalSegment Segment, long Bytes)? Find(long seq)
    {
        lock (gate)
        {
            var segment = segments.Find(segment => segment.Last >= seq);
            return segment is null ? null : (segment, segment.Bytes);
        }
    }

    void Roll(long first) => segments.Add(JournalSegment.Open($"{folder}/{first:D20}.frames", first));

    /// <summary>One frame with its line feed. Valid until the next.</summary>
    ReadOnlySpan<byte> Line(long seq, string? turn, string? source, ReadOnlySpan<byte> json)
    {
        // One that is as long as they rarely are is not kept room for.
        var line = json.Length > UsualBytes ? new ArrayBufferWriter<byte>(json.Length + UsualBytes) : frame;
        line.ResetWrittenCount();
        writer.Reset(line);
        writer.WriteStartObject();
        writer.WriteNumber("seq", seq);
        if (turn is not null)
            writer.WriteString("turn", turn);
        if (source is not null)
            writer.WriteString("source", source);
        writer.WritePropertyName("event");
        writer.WriteRawValue(json, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
        line.Write("\n"u8);
        return line.WrittenSpan;
    }

    public void Dispose()
    {
        writer.Dispose();
        foreach (var segment in segments)
            segment.Dispose();
    }
}
