using System.Text;

namespace Centaur.Server.Attachments;

/// <summary>A file's name as it may be stored and offered to a browser.</summary>
internal static class FileName
{
    const int MaxBytes = 255;

    /// <summary>The last part of a path of any system; null where nothing is left that is a name.</summary>
    public static string? Of(string? path)
    {
        var name = path?.Replace('\\', '/').Split('/')[^1].Trim();
        if (string.IsNullOrEmpty(name) || name is "." or ".." || Encoding.UTF8.GetByteCount(name) > MaxBytes)
            return null;
        // A quote or a right-to-left override would let a name pass for another.
        return name.EnumerateRunes().Any(r => Rune.IsControl(r) || Rune.GetUnicodeCategory(r) == System.Globalization.UnicodeCategory.Format || r.Value is '"' or ':' or 0xFFFD) ? null : name;
    }
}
