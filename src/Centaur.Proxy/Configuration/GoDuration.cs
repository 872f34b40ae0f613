using System.Buffers;
using System.Globalization;

namespace Centaur.Proxy.Configuration;

/// <summary>Times as iron-proxy's files write them: numbers with a unit, <c>1m30s</c> for example. A zero needs no unit.</summary>
static class GoDuration
{
    static readonly (string Unit, TimeSpan Length)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)),
    ];

    static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");
    static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0")
            return true;
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var (unit, length) = Find(rest);
            if (unit.Length == 0 || number * length.TotalSeconds > Longest.TotalSeconds)
                return false;
            duration += length * number;
            rest = rest[unit.Length..];
        }

        return text.Length > 0 && duration <= Longest;
    }

    static (string Unit, TimeSpan Length) Find(ReadOnlySpan<char> text)
    {
        foreach (var known in Units)
        {
            if (text.StartsWith(known.Unit, StringComparison.Ordinal))
                return known;
        }

        return ("", TimeSpan.Zero);
    }
}
