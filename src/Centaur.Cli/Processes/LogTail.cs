using System.Text;

namespace Centaur.Cli.Processes;

/// <summary>The end of a log file, read without the rest.</summary>
internal static class LogTail
{
    const int Window = 1024 * 1024;

    /// <summary>Where the log ends now; what is written later begins here.</summary>
    public static long End(string log) => File.Exists(log) ? new FileInfo(log).Length : 0;

    /// <summary>The last lines that were written after <paramref name="from"/>.</summary>
    public static IReadOnlyList<string> Read(string log, int lines, long from = 0)
    {
        if (!File.Exists(log))
            return [];
        var start = Math.Max(from, End(log) - Window);
        var all = ReadLines(log, start, out _);
        return [.. all.Skip(start > from && all.Count > 1 ? 1 : 0).TakeLast(lines)];
    }

    /// <summary>Every whole line from a place on, and where the next one begins.</summary>
    public static IReadOnlyList<string> ReadLines(string log, long from, out long next)
    {
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[Math.Min(Window, Math.Max(0, file.Length - from))];
        file.Seek(from, SeekOrigin.Begin);
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var whole = Array.LastIndexOf(bytes, (byte)'\n', Math.Max(0, read - 1)) + 1;
        if (whole == 0 && read == Window)
            whole = read;
        next = from + whole;
        return Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
