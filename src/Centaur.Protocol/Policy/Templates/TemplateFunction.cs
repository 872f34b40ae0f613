using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Centaur.Protocol.Policy.Templates;

/// <summary>
/// What a template may call: of Go's <c>text/template</c> (https://pkg.go.dev/text/template#hdr-Functions) print, printf, len and urlquery; <c>base64</c> as
/// iron-proxy has it; and the encodings that its users know from sprig. Each works on bytes, so <c>lower</c> and <c>upper</c> change ASCII letters alone.
/// </summary>
/// <param name="Name">As it is written.</param>
/// <param name="Least">The fewest arguments, a piped value counted.</param>
/// <param name="Most">The most arguments.</param>
/// <param name="Apply">The work; never fails for arguments that <see cref="Problem"/> let pass.</param>
internal sealed record TemplateFunction(string Name, int Least, int Most, Func<string[], string> Apply)
{
    const int Any = 16;

    static readonly FrozenDictionary<string, TemplateFunction> All = new TemplateFunction[]
    {
        new("base64", 1, 1, values => Convert.ToBase64String(Bytes(values[0]))),
        new("b64enc", 1, 1, values => Convert.ToBase64String(Bytes(values[0]))),
        new("base64url", 1, 1, values => System.Buffers.Text.Base64Url.EncodeToString(Bytes(values[0]))),
        new("hex", 1, 1, values => Convert.ToHexStringLower(Bytes(values[0]))),
        new("sha256sum", 1, 1, values => Convert.ToHexStringLower(SHA256.HashData(Bytes(values[0])))),
        new("lower", 1, 1, values => AsciiOnly(values[0], char.IsAsciiLetterUpper)),
        new("upper", 1, 1, values => AsciiOnly(values[0], char.IsAsciiLetterLower)),
        new("trim", 1, 1, values => values[0].Trim(' ', '\t', '\r', '\n', '\v', '\f')),
        // A space is a plus sign, as Go's url.QueryEscape writes it.
        new("urlquery", 1, Any, values => PercentEncoding.Encode(Bytes(string.Concat(values)), upperCase: true).Replace("%20", "+", StringComparison.Ordinal)),
        new("print", 1, Any, string.Concat),
        new("printf", 1, Any, TemplateFormat.Apply),
        new("len", 1, 1, values => values[0].Length.ToString(CultureInfo.InvariantCulture)) { GivesNumber = true },
    }.ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    public static IEnumerable<string> Names => All.Keys.Order(StringComparer.Ordinal);

    public bool GivesNumber { get; init; }

    public static TemplateFunction? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>Why these arguments do not fit, or null where they do.</summary>
    public string? Problem(IReadOnlyList<TemplateNode> arguments)
    {
        if (arguments.Count < Least || arguments.Count > Most)
            return $"{Name} takes {(Least == Most ? "" : "at least ")}one argument, not {arguments.Count}";
        return Name == "printf" ? TemplateFormat.Problem(arguments) : null;
    }

    static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    static string AsciiOnly(string text, Func<char, bool> changes) =>
        string.Create(text.Length, (text, changes), static (span, state) =>
        {
            // The case of an ASCII letter is one bit.
            for (var i = 0; i < span.Length; i++)
                span[i] = state.changes(state.text[i]) ? (char)(state.text[i] ^ 0x20) : state.text[i];
        });
}
