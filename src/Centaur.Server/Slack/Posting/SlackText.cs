using System.Text;
using System.Text.RegularExpressions;

namespace Centaur.Server.Slack.Posting;

/// <summary>The agent's words as Slack may show them.</summary>
internal static partial class SlackText
{
    /// <summary>One message's characters (contract §8).</summary>
    public const int MaxLength = 4_000;

    /// <summary>
    /// Escapes what Slack would read as a command. Links and mentions of one person or channel stay; whatever calls a crowd (<c>&lt;!channel&gt;</c>, <c>&lt;!here&gt;</c>,
    /// <c>&lt;!everyone&gt;</c>, a group) becomes plain text.
    /// </summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 64);
        var at = 0;
        foreach (Match token in Harmless().Matches(text))
        {
            Append(text.AsSpan(at, token.Index - at));
            escaped.Append(token.Value.Replace("&", "&amp;", StringComparison.Ordinal));
            at = token.Index + token.Length;
        }

        Append(text.AsSpan(at));
        return escaped.ToString();

        void Append(ReadOnlySpan<char> plain)
        {
            foreach (var c in plain)
                escaped.Append(c switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", _ => c.ToString() });
        }
    }

    /// <summary>
    /// Cuts escaped text into messages: at a paragraph, else at a line, else at a space, else anywhere but inside a character, an entity or a link. The same text is always cut
    /// in the same way, so that a later attempt finds the parts of an earlier one.
    /// </summary>
    public static IReadOnlyList<string> Split(string escaped)
    {
        var chunks = new List<string>();
        var rest = escaped.AsSpan().Trim();
        while (rest.Length > MaxLength)
        {
            var cut = Cut(rest);
            chunks.Add(rest[..cut].TrimEnd().ToString());
            rest = rest[cut..].TrimStart();
        }

        if (rest.Length > 0)
            chunks.Add(rest.ToString());
        return chunks;
    }

    static int Cut(ReadOnlySpan<char> text)
    {
        var window = text[..MaxLength];
        foreach (var separator in (string[])["\n\n", "\n", " "])
        {
            // A cut near the beginning would make a message of a few words.
            if (window.LastIndexOf(separator) is var found && found > MaxLength / 2)
                return Whole(text, found);
        }

        return Whole(text, MaxLength);
    }

    /// <summary>The same place, or the one before what must not be cut.</summary>
    static int Whole(ReadOnlySpan<char> text, int cut)
    {
        const int LongestLink = 3_000;
        const int LongestEntity = 5;
        var before = text[..cut];
        var open = before.LastIndexOf('<');
        if (open > 0 && cut - open < LongestLink && before[open..].IndexOf('>') < 0)
            return open;
        var entity = before.LastIndexOf('&');
        if (entity > 0 && cut - entity < LongestEntity && before[entity..].IndexOf(';') < 0)
            return entity;
        return char.IsHighSurrogate(text[cut - 1]) ? cut - 1 : cut;
    }

    [GeneratedRegex(@"<(@[UW][A-Z0-9]{1,30}|#C[A-Z0-9]{1,30}|(https?://|mailto:)[^<>|\s]{1,1500}(\|[^<>|\n]{1,500})?)>", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Harmless();
}
