using System.Globalization;

namespace Centaur.Server.Platform.Configuration;

/// <summary>Sizes as people write them: powers of 1024.</summary>
internal static class ByteSize
{
    static readonly (string Unit, long Bytes)[] Units = [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1), ("", 1)];

    public static long? Parse(string text)
    {
        var (unit, bytes) = Units.First(u => text.EndsWith(u.Unit, StringComparison.Ordinal));
        return double.TryParse(text.AsSpan(0, text.Length - unit.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count * bytes < long.MaxValue
            ? (long)(count * bytes)
            : null;
    }

    public static string Text(long bytes)
    {
        var (unit, size) = Units.First(u => bytes >= u.Bytes && bytes % u.Bytes == 0);
        return $"{bytes / size}{unit}";
    }
}
