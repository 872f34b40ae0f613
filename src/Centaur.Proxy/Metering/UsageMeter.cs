using System.Buffers;

namespace Centaur.Proxy.Metering;

/// <summary>Reads beside the stream what a model's answer cost, however it is cut: a JSON object, server-sent events, or the messages of a WebSocket. It keeps nothing of the answer.</summary>
sealed class UsageMeter
{
    static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    readonly bool events;
    UsagePicker picker = new();
    ModelUsage? sum;
    Field field;
    int matched;

    UsageMeter(bool events) => this.events = events;

    static ReadOnlySpan<byte> DataField => "data:"u8;

    /// <param name="method">The request's method.</param>
    /// <param name="path">Its path.</param>
    /// <returns>Whether such a request asks a model for an answer.</returns>
    public static bool Concerns(string method, string path) =>
        method is "POST" or "GET" && (path.EndsWith("/messages", StringComparison.Ordinal) || path.EndsWith("/responses", StringComparison.Ordinal) || path.EndsWith("/chat/completions", StringComparison.Ordinal));

    /// <param name="mediaType">What the answer says that it is.</param>
    public static UsageMeter For(string? mediaType) => new(string.Equals(mediaType, "text/event-stream", StringComparison.OrdinalIgnoreCase));

    public static UsageMeter ForMessages() => new(events: false);

    /// <summary>The next bytes of the answer, unpacked.</summary>
    public void Push(ReadOnlySpan<byte> plain)
    {
        if (!events)
        {
            picker.Push(plain);
            return;
        }

        while (!plain.IsEmpty)
        {
            var end = plain.IndexOfAny(LineEnds);
            Line(end < 0 ? plain : plain[..end]);
            if (end < 0)
                return;
            EndLine();
            plain = plain[(end + 1)..];
        }
    }

    /// <summary>A message of a socket is over: each is an object of its own, and a socket carries many answers.</summary>
    public void EndMessage()
    {
        picker.Next();
        if (picker.IsFinal)
            EndAnswer();
    }

    /// <summary>Nothing more comes. What was said; null where nothing was.</summary>
    public ModelUsage? Conclude()
    {
        picker.Next();
        EndAnswer();
        return sum;
    }

    /// <summary>What stands for an answer that did not say what it cost.</summary>
    public static ModelUsage Unknown { get; } = new(null, 1, null, null, null, null, IsPartial: true);

    void EndAnswer()
    {
        var said = picker;
        picker = new UsagePicker();
        if (said is { Model: null, Input: null, Output: null })
            return;
        var cached = said.CachedBeside ?? said.CachedWithin;
        var fresh = said.Input is { } input && said.CachedWithin is { } within ? Math.Max(0, input - within) : said.Input;
        var usage = new ModelUsage(said.Model, 1, fresh, cached, said.CacheWrite, said.Output, !said.IsFinal);
        sum = sum?.And(usage) ?? usage;
    }

    void Line(ReadOnlySpan<byte> text)
    {
        while (field == Field.Undecided && !text.IsEmpty)
        {
            if (text[0] != DataField[matched])
            {
                field = Field.Other;
                break;
            }

            text = text[1..];
            if (++matched == DataField.Length)
                field = Field.Data;
        }

        if (field == Field.Data && !text.IsEmpty)
            picker.Push(text);
    }

    void EndLine()
    {
        // An empty line ends an event; both halves of \r\n do no harm.
        if (field == Field.Undecided && matched == 0 && picker.HasBegun)
            picker.Next();
        (field, matched) = (Field.Undecided, 0);
    }

    enum Field
    {
        Undecided,
        Data,
        Other,
    }
}
