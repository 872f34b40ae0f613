using System.Text;

namespace Centaur.Server.Threads;

/// <summary>The grammar of a thread's key: 1 to 512 bytes, no control characters, no path segment <c>.</c> or <c>..</c> (an address could not hold it).</summary>
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
        if (key.Any(char.IsControl))
            return "must not hold control characters";
        return key.Split('/').Any(segment => segment is "." or "..") ? "must not hold a path segment . or .." : null;
    }
}
