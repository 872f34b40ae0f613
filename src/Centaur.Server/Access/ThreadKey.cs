using System.Globalization;
using System.Text;

namespace Centaur.Server.Access;

/// <summary>
/// The grammar of a thread's key: 1 to 512 bytes, no path segment <c>.</c> or <c>..</c> (an address could not hold it), nothing that nobody sees: no control or
/// format characters (zero-width, bidirectional). Keys are compared byte for byte: one that merely looks like another is another thread's.
/// </summary>
public static class ThreadKey
{
    public const int MaxBytes = 512;

    /// <summary>What is wrong with the key; null where it is good.</summary>
    public static string? Problem(string key)
    {
        if (key.Length == 0)
            return "must not be empty";
        if (Encoding.UTF8.GetByteCount(key) > MaxBytes)
            return $"must not be longer than {MaxBytes} bytes";
        if (key.EnumerateRunes().Any(IsUnseen))
            return "must not hold control characters or characters that cannot be seen";
        return key.Split('/').Any(segment => segment is "." or "..") ? "must not hold a path segment . or .." : null;
    }

    static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
        || rune == Rune.ReplacementChar;
}
