using System.Globalization;
using System.Text;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>Reads what stands in quotes, with its escapes.</summary>
static class SqlText
{
    /// <summary>The value of a text token, or null where its escapes are not valid.</summary>
    public static byte[]? Value(byte[] sql, SqlToken token)
    {
        if (sql[token.Start] == '$')
        {
            var tag = DollarTag(sql, token.Start) ?? 0;
            return sql[(token.Start + tag)..(token.End - tag)];
        }

        var prefix = sql[token.Start] == '\'' ? 0 : sql[token.Start + 1] == '&' ? 2 : 1;
        var value = new MemoryStream();
        return TryRead(sql, token.Start, prefix, value, out _) ? value.ToArray() : null;
    }

    /// <summary>Length of the delimiter <c>$tag$</c> at this place, or null where there is none.</summary>
    public static int? DollarTag(ReadOnlySpan<byte> sql, int start)
    {
        var at = start + 1;
        while (at < sql.Length && (SqlLexer.IsLetter(sql[at]) || (at > start + 1 && char.IsAsciiDigit((char)sql[at]))))
            at++;
        return at < sql.Length && sql[at] == '$' ? at + 1 - start : null;
    }

    /// <summary>Reads a quoted text or name whose quote stands behind <paramref name="prefix"/> letters (E, B, X, N, U&amp;).</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="start">Where the prefix begins.</param>
    /// <param name="prefix">0, 1, or 2 for Unicode escapes.</param>
    /// <param name="output">Takes the value; null to find the end alone.</param>
    /// <param name="end">Behind the last quote, and behind UESCAPE where it stands.</param>
    public static bool TryRead(ReadOnlySpan<byte> sql, int start, int prefix, MemoryStream? output, out int end)
    {
        var quote = sql[start + prefix];
        var escapes = prefix == 1 && sql[start] is (byte)'e' or (byte)'E' && quote == '\'';
        var raw = prefix == 2 ? new MemoryStream() : output;
        end = start + prefix + 1;
        while (true)
        {
            if (end >= sql.Length)
                return false;
            var letter = sql[end++];
            if (escapes && letter == '\\')
            {
                if (!TryEscape(sql, ref end, raw))
                    return false;
            }
            else if (letter != quote)
            {
                raw?.WriteByte(letter);
            }
            else if (end < sql.Length && sql[end] == quote)
            {
                raw?.WriteByte(quote);
                end++;
            }
            else if (quote == '\'' && SqlSpace.TryContinue(sql, ref end))
            {
                end++;
            }
            else
            {
                return prefix != 2 || TryUnicode(sql, raw!.ToArray(), output, ref end);
            }
        }
    }

    /// <summary>What follows a backslash in <c>E'…'</c> (documentation, "String Constants With C-Style Escapes").</summary>
    static bool TryEscape(ReadOnlySpan<byte> sql, ref int at, MemoryStream? output)
    {
        if (at >= sql.Length)
            return false;
        var letter = sql[at++];
        switch (letter)
        {
            case (byte)'b':
                output?.WriteByte((byte)'\b');
                return true;
            case (byte)'f':
                output?.WriteByte((byte)'\f');
                return true;
            case (byte)'n':
                output?.WriteByte((byte)'\n');
                return true;
            case (byte)'r':
                output?.WriteByte((byte)'\r');
                return true;
            case (byte)'t':
                output?.WriteByte((byte)'\t');
                return true;
            case (byte)'v':
                output?.WriteByte((byte)'\v');
                return true;
            case >= (byte)'0' and <= (byte)'7':
                var octal = letter - '0';
                for (var i = 0; i < 2 && at < sql.Length && sql[at] is >= (byte)'0' and <= (byte)'7'; i++)
                    octal = (octal * 8) + (sql[at++] - '0');
                output?.WriteByte((byte)octal);
                return (byte)octal != 0;
            case (byte)'x' when at < sql.Length && char.IsAsciiHexDigit((char)sql[at]):
                var hex = 0;
                for (var i = 0; i < 2 && at < sql.Length && char.IsAsciiHexDigit((char)sql[at]); i++)
                    hex = (hex * 16) + Convert.ToInt32(((char)sql[at++]).ToString(), 16);
                output?.WriteByte((byte)hex);
                return hex != 0;
            case (byte)'u':
                return TryCodePoint(sql, ref at, 4, output);
            case (byte)'U':
                return TryCodePoint(sql, ref at, 8, output);
            default:
                output?.WriteByte(letter);
                return true;
        }
    }

    /// <summary>The escapes of <c>U&amp;'…'</c> and <c>U&amp;"…"</c>, with the escape character that UESCAPE names behind it.</summary>
    static bool TryUnicode(ReadOnlySpan<byte> sql, ReadOnlySpan<byte> raw, MemoryStream? output, ref int end)
    {
        var escape = (byte)'\\';
        var look = end;
        if (!SqlSpace.TrySkip(sql, ref look))
            return false;
        if (Ascii.EqualsIgnoreCase(sql.Slice(look, Math.Min(7, sql.Length - look)), "uescape"u8))
        {
            look += 7;
            if (!SqlSpace.TrySkip(sql, ref look) || look + 2 >= sql.Length || sql[look] != '\'' || sql[look + 2] != '\'')
                return false;
            escape = sql[look + 1];
            end = look + 3;
            if (escape is >= 128 or (byte)'+' or (byte)'\'' or (byte)'"' or (byte)' ' || char.IsAsciiHexDigit((char)escape))
                return false;
        }

        for (var at = 0; at < raw.Length;)
        {
            var letter = raw[at++];
            if (letter != escape)
            {
                output?.WriteByte(letter);
            }
            else if (at < raw.Length && raw[at] == escape)
            {
                output?.WriteByte(raw[at++]);
            }
            else
            {
                var digits = at < raw.Length && raw[at] == '+' ? 6 : 4;
                if (digits == 6)
                    at++;
                if (!TryCodePoint(raw, ref at, digits, output))
                    return false;
            }
        }

        return true;
    }

    /// <summary>Surrogate pairs are refused, though Postgres joins them: what needs one can be written as itself.</summary>
    static bool TryCodePoint(ReadOnlySpan<byte> text, ref int at, int digits, MemoryStream? output)
    {
        if (at + digits > text.Length || !uint.TryParse(text.Slice(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return false;
        at += digits;
        if (value == 0 || !Rune.TryCreate(value, out var rune))
            return false;
        Span<byte> utf8 = stackalloc byte[4];
        output?.Write(utf8[..rune.EncodeToUtf8(utf8)]);
        return true;
    }
}
