using System.Globalization;
using System.Text.Json;

namespace Centaur.Server.Platform.Database;

/// <summary>
/// What Postgres' jsonb cannot hold although it is JSON (https://www.postgresql.org/docs/15/datatype-json.html): NUL characters, halves of surrogate pairs, and numbers beyond numeric.
/// What a client sends is refused for it; what a harness prints (a binary file, for example) is mended, because it has been said already.
/// </summary>
internal static class StorableJson
{
    public const int MaxNumber = 400;
    public const int MaxExponent = 400;

    /// <summary>The zeros that the exponents of one value stand for, all together. Postgres writes them out: without a bound a few megabytes become gigabytes.</summary>
    public const int MaxZeros = 65_536;
    const int EscapeLength = 6;

    /// <summary>U+FFFD, which stands for what was no character.</summary>
    static ReadOnlySpan<byte> Replacement => "fffd"u8;

    /// <summary>Postgres keeps numbers as numeric, which has at most 131072 digits before the point and 16383 after it.</summary>
    /// <param name="number">As JSON writes it.</param>
    /// <param name="zeros">The zeros of the value so far; those of this number are added.</param>
    public static bool IsNumber(ReadOnlySpan<byte> number, ref int zeros)
    {
        if (number.Length > MaxNumber)
            return false;
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        if (e < 0)
            return true;
        if (!int.TryParse(number[(e + 1)..], CultureInfo.InvariantCulture, out var exponent) || exponent is < -MaxExponent or > MaxExponent || zeros > MaxZeros - Math.Abs(exponent))
            return false;
        zeros += Math.Abs(exponent);
        return true;
    }

    /// <summary>Mends one JSON value in place: escapes of what is no character become U+FFFD, numbers that cannot be kept become 0.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static void Mend(Span<byte> json)
    {
        MendEscapes(json);
        var reader = new Utf8JsonReader(json);
        var zeros = 0;
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.Number || IsNumber(reader.ValueSpan, ref zeros))
                continue;
            var number = json.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length);
            number.Fill((byte)' ');
            number[0] = (byte)'0';
        }
    }

    /// <summary>A backslash stands in strings alone, so no parser is needed to find escapes.</summary>
    static void MendEscapes(Span<byte> json)
    {
        for (var at = 0; json[at..].IndexOf((byte)'\\') is var next and >= 0;)
        {
            at += next;
            if (!TryEscape(json[at..], out var unit))
            {
                at = Math.Min(at + 2, json.Length);
                continue;
            }

            if (char.IsHighSurrogate(unit) && TryEscape(json[(at + EscapeLength)..], out var second) && char.IsLowSurrogate(second))
                at += EscapeLength;
            else if (unit == '\0' || char.IsSurrogate(unit))
                Replacement.CopyTo(json[(at + 2)..]);
            at += EscapeLength;
        }
    }

    static bool TryEscape(ReadOnlySpan<byte> text, out char unit)
    {
        unit = default;
        if (text.Length < EscapeLength || text[0] != '\\' || text[1] != 'u' || !ushort.TryParse(text[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return false;
        unit = (char)value;
        return true;
    }
}
