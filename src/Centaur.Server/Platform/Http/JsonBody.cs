using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Centaur.Server.Platform.Database;

namespace Centaur.Server.Platform.Http;

/// <summary>
/// A request's JSON object, read strictly: UTF-8, no duplicate keys, no depth beyond 56, no NUL, no lone surrogates
/// and no number that Postgres cannot hold.
/// Unknown keys are ignored (contract §1.0). Accessors collect what is wrong; the handler asks <see cref="Invalid"/> once.
/// </summary>
public sealed class JsonBody
{
    /// <summary>What is stored and answered wraps a body's parts in a few levels more, and JSON is read everywhere to a depth of 64.</summary>
    const int MaxDepth = 56;
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };
    readonly List<FieldError> errors = [];

    JsonBody(JsonElement root) => Root = root;

    public JsonElement Root { get; }

    /// <summary>422 with everything that the accessors found wrong; null where all is well.</summary>
    public ApiFailure? Invalid => errors.Count == 0 ? null : ApiFailure.Invalid(errors);

    /// <summary>Reads the request's body. An empty one is an empty object only where the caller says so.</summary>
    public static async Task<Outcome<JsonBody>> Read(HttpContext http, bool mayBeEmpty = false)
    {
        var bytes = await http.RequestServices.GetRequiredService<BodyMemory>().Read(http);
        return bytes.Length == 0 && mayBeEmpty ? new JsonBody(JsonElement.Parse("{}")) : Parse(bytes);
    }

    internal static Outcome<JsonBody> Parse(ReadOnlyMemory<byte> bytes)
    {
        if (!Utf8.IsValid(bytes.Span))
            return Malformed("the body is not UTF-8");
        try
        {
            // First: the document's own check for repeated keys throws at a key that is no text.
            if (Unstorable(bytes.Span) is { } problem)
                return ApiFailure.Invalid([new FieldError(["body"], problem, "value_error")]);
            using var document = JsonDocument.Parse(bytes, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return ApiFailure.Invalid([new FieldError(["body"], "The body must be a JSON object", "model_type")]);
            return new JsonBody(document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            return Malformed(e.LineNumber is { } line ? $"line {line + 1}, byte {e.BytePositionInLine + 1} is not JSON, or is nested deeper than {MaxDepth}, or repeats a key" : "it is not JSON, or repeats a key");
        }
    }

    /// <summary>The same accessors over an object inside a body.</summary>
    internal static JsonBody Of(JsonElement root) => new(root);

    public string Text(string name, int maxBytes = 1024) => OptionalText(name, maxBytes) is { } text ? text : Missing(name);

    public string? OptionalText(string name, int maxBytes = 1024)
    {
        switch (Find(name))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } value when value.GetString() is var text && Encoding.UTF8.GetByteCount(text!) <= maxBytes:
                return text;
            case { ValueKind: JsonValueKind.String }:
                Wrong(name, $"must not be longer than {maxBytes} bytes");
                return null;
            default:
                Wrong(name, "must be a string");
                return null;
        }
    }

    public int? OptionalInt(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number))
            return number;
        Wrong(name, "must be a whole number of 32 bits");
        return null;
    }

    public int Int(string name)
    {
        if (Find(name) is null)
            Missing(name);
        return OptionalInt(name) ?? 0;
    }

    public bool? OptionalFlag(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Wrong(name, "must be true or false");
        return null;
    }

    public JsonElement? OptionalObject(string name) => OfKind(name, JsonValueKind.Object, "must be an object");

    public JsonElement? OptionalArray(string name) => OfKind(name, JsonValueKind.Array, "must be an array");

    public IReadOnlyList<string> Texts(string name)
    {
        if (OptionalArray(name) is not { } array)
            return [];
        if (array.EnumerateArray().All(i => i.ValueKind == JsonValueKind.String))
            return array.EnumerateArray().Select(i => i.GetString()!).ToList();
        Wrong(name, "must be an array of strings");
        return [];
    }

    public void Wrong(string name, string message) => Note(new FieldError(["body", name], $"{name} {message}", "value_error"));

    static ApiFailure Malformed(string why) => ApiFailure.Detail(StatusCodes.Status400BadRequest, $"The body cannot be read as JSON: {why}.");

    /// <summary>Only an escape can bring in what valid UTF-8 without raw control characters cannot hold.</summary>
    static string? Unstorable(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
        var zeros = 0;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && !StorableJson.IsNumber(reader.ValueSpan, ref zeros))
                return $"A number is longer than {StorableJson.MaxNumber} characters, or its exponent is beyond {StorableJson.MaxExponent}, or the exponents stand for more than {StorableJson.MaxZeros} zeros in all";
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
                continue;
            try
            {
                if (reader.GetString()!.Contains('\0', StringComparison.Ordinal))
                    return "A string holds a NUL character (\\u0000), which cannot be stored";
            }
            catch (InvalidOperationException)
            {
                return "A string holds half of a surrogate pair, which is no character";
            }
        }

        return null;
    }

    JsonElement? OfKind(string name, JsonValueKind kind, string message)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == kind)
            return value;
        Wrong(name, message);
        return null;
    }

    JsonElement? Find(string name) => Root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    string Missing(string name)
    {
        Note(new FieldError(["body", name], $"{name} is required", "missing"));
        return "";
    }

    /// <summary>The first that is found wrong with a field is what is told; an accessor that asks again finds it again.</summary>
    void Note(FieldError error)
    {
        if (!errors.Any(e => e.Loc[^1] == error.Loc[^1]))
            errors.Add(error);
    }
}
