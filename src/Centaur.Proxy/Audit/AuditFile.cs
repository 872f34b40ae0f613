using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Audit;

/// <summary>
/// An append-only file of JSON lines in a hash chain. Every line ends in <c>,"hash":"…"}</c>; the hash is SHA-256 over the 32 bytes of the hash before it
/// (zeros for the first line) and the line's own bytes up to, and without, that last member. Whoever alters, drops or reorders a line breaks the chain there.
/// </summary>
sealed class AuditFile : IDisposable
{
    const int LongestLine = 64 * 1024;

    static ReadOnlySpan<byte> HashMember => ",\"hash\":\""u8;

    readonly Lock gate = new();
    readonly SafeFileHandle file;
    readonly bool seekable;
    readonly byte[] previous = new byte[32];
    byte[] buffer = new byte[4096];
    long length;

    public AuditFile(SafeFileHandle file)
    {
        this.file = file;
        seekable = IsSeekable(file);
        if (seekable)
            length = Continue();
    }

    /// <summary>Appends one record (a JSON object) and returns whether all of it is in the file. A torn line is taken back.</summary>
    public bool TryAppend(ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            var line = Complete(json, out var hash);
            try
            {
                RandomAccess.Write(file, line, length);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                TakeBack();
                return false;
            }

            hash.CopyTo(previous);
            length += line.Length;
            return true;
        }
    }

    public void Dispose() => file.Dispose();

    ReadOnlySpan<byte> Complete(ReadOnlySpan<byte> json, out byte[] hash)
    {
        var body = json[..^1];
        var total = body.Length + HashMember.Length + 64 + 3;
        if (buffer.Length < total)
            buffer = new byte[total * 2];
        body.CopyTo(buffer);
        hash = new byte[32];
        using (var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            sha.AppendData(previous);
            sha.AppendData(body);
            sha.GetHashAndReset(hash);
        }

        HashMember.CopyTo(buffer.AsSpan(body.Length));
        Convert.TryToHexStringLower(hash, buffer.AsSpan(body.Length + HashMember.Length), out _);
        "\"}\n"u8.CopyTo(buffer.AsSpan(total - 3));
        return buffer.AsSpan(0, total);
    }

    void TakeBack()
    {
        if (!seekable)
            return;
        try
        {
            RandomAccess.SetLength(file, Math.Min(length, RandomAccess.GetLength(file)));
        }
        catch (IOException)
        {
            // The next append fails too, and nothing is sent.
        }
    }

    /// <summary>Finds the last whole line and takes its hash; a torn tail, whose request was never sent, is cut off.</summary>
    long Continue()
    {
        var size = RandomAccess.GetLength(file);
        if (size == 0)
            return 0;
        var tail = ArrayPool<byte>.Shared.Rent(LongestLine);
        var from = Math.Max(0, size - LongestLine);
        var read = RandomAccess.Read(file, tail.AsSpan(0, (int)(size - from)), from);
        var window = tail.AsSpan(0, read);
        var end = window.LastIndexOf((byte)'\n');
        var kept = from + end + 1;
        if (kept < size)
            RandomAccess.SetLength(file, kept);
        if (end >= 0)
        {
            var line = window[..end];
            line = line[(line.LastIndexOf((byte)'\n') + 1)..];
            var member = line.LastIndexOf(HashMember);
            if (member >= 0 && line.Length >= member + HashMember.Length + 64)
                Convert.FromHexString(Encoding.ASCII.GetString(line.Slice(member + HashMember.Length, 64)), previous, out _, out _);
        }

        ArrayPool<byte>.Shared.Return(tail);
        return kept;
    }

    static bool IsSeekable(SafeFileHandle file)
    {
        try
        {
            return RandomAccess.GetLength(file) >= 0;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
