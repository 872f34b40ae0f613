using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Centaur.Proxy.Metering;

/// <summary>
/// Finds what an answer cost in one JSON object that comes in pieces: Anthropic Messages (the message, or its events), OpenAI Responses (the response, or its events) and OpenAI
/// Chat Completions (the completion, or its chunks). It reads the object's structure, so that a text that looks like usage is text.
/// </summary>
sealed class UsagePicker
{
    // A longer text within an answer is not waited for; its cost stays unknown.
    const int LongestToken = 1 << 20;
    const int LongestModel = 128;
    const int Deepest = 4;

    readonly ArrayBufferWriter<byte> waiting = new(4096);
    readonly string?[] path = new string?[Deepest];
    JsonReaderState state;
    int depth;
    int arrays;
    bool broken;

    public string? Model { get; private set; }

    public long? Input { get; private set; }

    /// <summary>Of <see cref="Input"/>, as OpenAI counts.</summary>
    public long? CachedWithin { get; private set; }

    /// <summary>Beside <see cref="Input"/>, as Anthropic counts.</summary>
    public long? CachedBeside { get; private set; }

    public long? CacheWrite { get; private set; }

    public long? Output { get; private set; }

    /// <summary>Whether the last word on the cost was said: the first event of a message only estimates its output.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>Whether something came since the last object was over.</summary>
    public bool HasBegun { get; private set; }

    public void Push(ReadOnlySpan<byte> json)
    {
        HasBegun = true;
        if (broken)
            return;
        waiting.Write(json);
        Read(last: false);
    }

    /// <summary>The object is over; what was picked stays, and another may follow.</summary>
    public void Next()
    {
        if (!broken)
            Read(last: true);
        waiting.ResetWrittenCount();
        (state, depth, arrays, broken, HasBegun) = (default, 0, 0, false, false);
    }

    void Read(bool last)
    {
        try
        {
            var reader = new Utf8JsonReader(waiting.WrittenSpan, last, state);
            while (reader.Read())
                Take(ref reader);
            state = reader.CurrentState;
            var rest = waiting.WrittenSpan[(int)reader.BytesConsumed..].ToArray();
            waiting.ResetWrittenCount();
            waiting.Write(rest);
            broken = rest.Length > LongestToken;
        }
        catch (JsonException)
        {
            // "[DONE]", and whatever else is no JSON, costs nothing.
            broken = true;
        }

        if (broken)
            waiting.ResetWrittenCount();
    }

    void Take(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                arrays++;
                break;
            case JsonTokenType.EndArray:
                arrays--;
                break;
            case JsonTokenType.StartObject:
                depth++;
                break;
            case JsonTokenType.EndObject:
                depth--;
                break;
            case JsonTokenType.PropertyName when arrays == 0 && depth <= Deepest:
                path[depth - 1] = reader.ValueSpan.Length <= LongestModel ? reader.GetString() : null;
                break;
            case JsonTokenType.String when arrays == 0 && depth is 1 or 2:
                if (path[depth - 1] == "model" && IsUnder(depth - 1) && reader.ValueSpan.Length <= LongestModel)
                    Model = reader.GetString();
                break;
            case JsonTokenType.Number when arrays == 0 && depth is >= 2 and <= Deepest && reader.TryGetInt64(out var tokens) && tokens >= 0:
                Count(tokens);
                break;
        }
    }

    /// <summary>Whether the first so many names lead to the answer itself: none, the message that begins, or the response that an event carries.</summary>
    bool IsUnder(int names) => names == 0 || (names == 1 && path[0] is "message" or "response");

    void Count(long tokens)
    {
        var at = path[0] == "usage" ? 0 : path[1] == "usage" && IsUnder(1) ? 1 : -1;
        var names = at < 0 ? default : path.AsSpan(at + 1, depth - at - 1);
        switch (names)
        {
            case ["input_tokens" or "prompt_tokens"]:
                Input = tokens;
                break;
            case ["input_tokens_details" or "prompt_tokens_details", "cached_tokens"]:
                CachedWithin = tokens;
                break;
            case ["cache_read_input_tokens"]:
                CachedBeside = tokens;
                break;
            case ["cache_creation_input_tokens"]:
                CacheWrite = tokens;
                break;
            case ["output_tokens" or "completion_tokens"]:
                Output = tokens;
                IsFinal |= path[0] != "message";
                break;
        }
    }
}
