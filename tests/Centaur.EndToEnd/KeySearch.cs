using System.Globalization;
using System.Text;

namespace Centaur.EndToEnd;

/// <summary>Looks for a key in every form in which it could hide: raw, base64 at each alignment, percent- and JSON-encoded.</summary>
internal sealed class KeySearch
{
    const int Chunk = 1 << 20;

    readonly byte[][] forms;
    readonly int longest;

    public KeySearch(string key)
    {
        var bytes = Encoding.UTF8.GetBytes(key);
        forms =
        [
            bytes,
            Encoding.Unicode.GetBytes(key),
            .. Enumerable.Range(0, 3).Select(shift => Encoding.ASCII.GetBytes(AlignedBase64(bytes, shift))),
            Encoding.ASCII.GetBytes(string.Concat(bytes.Select(b => $"%{b:X2}"))),
            Encoding.ASCII.GetBytes(string.Concat(bytes.Select(b => $"%{b:x2}"))),
            Encoding.ASCII.GetBytes(string.Concat(bytes.Select(b => $"\\u{b:x4}"))),
            Encoding.ASCII.GetBytes(Convert.ToHexString(bytes)),
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes)),
        ];
        longest = forms.Max(f => f.Length);
    }

    public bool IsIn(ReadOnlySpan<byte> text)
    {
        foreach (var form in forms)
        {
            if (text.IndexOf(form) >= 0)
                return true;
        }
        return false;
    }

    public bool IsIn(Stream stream)
    {
        var buffer = new byte[Chunk + longest];
        var kept = 0;
        while (stream.ReadAtLeast(buffer.AsSpan(kept), 1, throwOnEndOfStream: false) is > 0 and var read)
        {
            var filled = kept + read;
            if (IsIn(buffer.AsSpan(0, filled)))
                return true;
            kept = Math.Min(filled, longest - 1);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }
        return false;
    }

    /// <summary>Files under a folder that hold the key. What vanishes while we look held nothing that stays.</summary>
    public IReadOnlyList<string> Files(string folder, params string[] except) =>
        Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Where(path => !except.Any(e => path.StartsWith(e, StringComparison.Ordinal)))
            .Where(IsInFile)
            .ToList();

    /// <summary>Memory and environment of a process; of one that ends meanwhile, what was found before.</summary>
    public IReadOnlyList<string> Process(int pid)
    {
        var found = new List<string>();
        try
        {
            if (IsInFile($"/proc/{pid}/environ"))
                found.Add($"environment of {pid}");
            using var memory = new FileStream($"/proc/{pid}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            foreach (var line in File.ReadLines($"/proc/{pid}/maps"))
            {
                if (Region(line) is { } region && IsInMemory(memory, region.From, region.To))
                    found.Add($"memory of {pid}: {line}");
            }
        }
        catch (IOException) when (!Directory.Exists($"/proc/{pid}"))
        {
            // A command of the agent's, which had done its work.
        }
        return found;
    }

    bool IsInFile(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return IsIn(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    bool IsInMemory(FileStream memory, long from, long to)
    {
        var buffer = new byte[Chunk + longest];
        for (var at = from; at < to; at += Chunk)
        {
            try
            {
                var read = RandomAccess.Read(memory.SafeFileHandle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - at)), at);
                if (IsIn(buffer.AsSpan(0, read)))
                    return true;
            }
            catch (IOException)
            {
                return false; // A guard page, or a mapping that is gone.
            }
        }
        return false;
    }

    static (long From, long To)? Region(string line)
    {
        var space = line.IndexOf(' ');
        if (line[space + 1] != 'r' || line.EndsWith("[vvar]", StringComparison.Ordinal) || line.EndsWith("[vsyscall]", StringComparison.Ordinal))
            return null;
        var ends = line[..space].Split('-');
        return (long.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), long.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    /// <summary>What stands in a base64 text whatever comes before and after: without the characters that share bits with neighbours.</summary>
    static string AlignedBase64(byte[] key, int shift)
    {
        var padded = new byte[shift + key.Length];
        key.CopyTo(padded, shift);
        var text = Convert.ToBase64String(padded);
        var first = shift == 0 ? 0 : shift + 1;
        var whole = padded.Length / 3 * 4;
        return text[first..whole];
    }
}
