using System.Buffers;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Scanning;

/// <summary>
/// What is searched for, compiled and immutable: every value in its plain, percent-encoded, JSON-escaped and base64 forms. Base64 is searched at each of its
/// three alignments by the characters that the value alone decides, so that <c>user:value</c> is found without knowing the user.
/// </summary>
sealed class ScanModel
{
    const int ShortestPlain = 4;
    const int ShortestEncoded = 8;

    readonly SearchValues<string> texts;

    public ScanModel(IEnumerable<Needle> needles)
    {
        // Longest first: at one place the longest form is meant.
        Needles = [.. needles.DistinctBy(needle => needle.Text).OrderByDescending(needle => needle.Bytes.Length)];
        texts = SearchValues.Create([.. Needles.Select(needle => needle.Text)], StringComparison.Ordinal);
        FirstBytes = SearchValues.Create([.. Needles.Select(needle => needle.Bytes[0]).Distinct()]);
        Longest = Needles[0].Bytes.Length;
    }

    public Needle[] Needles { get; }

    public SearchValues<byte> FirstBytes { get; }

    public int Longest { get; }

    public static ScanModel? For(IEnumerable<(Secret Secret, string Placeholder)> values)
    {
        var needles = values.SelectMany(pair => Forms(pair.Secret.Bytes.ToArray(), Encoding.Latin1.GetBytes(pair.Placeholder))).ToList();
        return needles.Count == 0 ? null : new ScanModel(needles);
    }

    /// <summary>The first place where some needle begins, or -1. <paramref name="text"/> is bytes widened to characters.</summary>
    public int IndexOf(ReadOnlySpan<char> text) => text.IndexOfAny(texts);

    /// <summary>A header's value with every form replaced.</summary>
    public string Clean(string text, ref long scrubbed)
    {
        if (IndexOf(text) < 0)
            return text;
        var cleaned = new StringBuilder(text.Length);
        var rest = text.AsSpan();
        for (var at = IndexOf(rest); at >= 0; at = IndexOf(rest))
        {
            var needle = At(rest[at..]);
            cleaned.Append(rest[..at]).Append(Encoding.Latin1.GetString(needle.Replacement));
            rest = rest[(at + needle.Text.Length)..];
            scrubbed++;
        }

        return cleaned.Append(rest).ToString();
    }

    /// <summary>The longest needle that stands at the beginning of <paramref name="text"/>.</summary>
    public Needle At(ReadOnlySpan<char> text)
    {
        foreach (var needle in Needles)
        {
            if (text.StartsWith(needle.Text, StringComparison.Ordinal))
                return needle;
        }

        throw new InvalidOperationException("No needle stands here.");
    }

    static IEnumerable<Needle> Forms(byte[] value, byte[] placeholder)
    {
        if (value.Length < ShortestPlain)
            yield break;
        yield return Make(Encoding.Latin1.GetString(value), placeholder);
        if (value.Length < ShortestEncoded)
            yield break;
        yield return Make(PercentEncoding.Encode(value, upperCase: true), placeholder);
        yield return Make(PercentEncoding.Encode(value, upperCase: false), placeholder);
        if (TryDecode(value) is { } text)
        {
            yield return Make(Utf8(JsonEncodedText.Encode(text).ToString()), placeholder);
            yield return Make(Utf8(JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString()), placeholder);
            yield return Make(Utf8(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)), placeholder);
        }

        for (var before = 0; before < 3; before++)
        {
            var core = Base64Core(value, before);
            yield return Make(core, placeholder);
            yield return Make(core.Replace('+', '-').Replace('/', '_'), placeholder);
        }
    }

    static Needle Make(string text, byte[] placeholder) => new(text, Encoding.Latin1.GetBytes(text), placeholder);

    static string Utf8(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    static string? TryDecode(byte[] value) => System.Text.Unicode.Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : null;

    /// <summary>The characters of base64 that this value decides alone when <paramref name="before"/> other bytes stand before it in a group of three.</summary>
    static string Base64Core(byte[] value, int before)
    {
        var padded = new byte[before + value.Length];
        value.CopyTo(padded, before);
        var encoded = Convert.ToBase64String(padded);
        var from = (before * 8 + 5) / 6;
        var to = padded.Length * 8 / 6;
        return encoded[from..to];
    }
}
