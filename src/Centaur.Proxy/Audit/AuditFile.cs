using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Audit;

/// <summary>
/// An append-only file of JSON lines in a hash chain. Every line ends in <c>,"hash":"…"}</c>; the hash is SHA-256 over the 32 bytes of the hash before it
/// (zeros for the first line) and the line's own bytes up to, and without, that last member. Whoever alters, drops or reorders a line breaks the chain there.
/// A line that is whole stays, whatever becomes of the write that it was a part of: whoever reads the file may have taken it already.
/// </summary>
sealed class AuditFile : IDisposable
{
    const int LongestLine = 64 * 1024;

    /// <summary>The hash in hexadecimal, then <c>"}</c> and the line feed.</summary>
    const int Tail = 64 + 3;

    static ReadOnlySpan<byte> HashMember => ",\"hash\":\""u8;

    const int MostDeferred = 64 * 1024;

    static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(10);

    readonly Lock gate = new();
    readonly SafeFileHandle file;
    readonly bool seekable;
    readonly ITimer timer;
    readonly ArrayBufferWriter<byte> deferred = new(4096);
    readonly ArrayBufferWriter<byte> lines = new(8192);
    readonly IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly byte[] previous = new byte[32];
    bool waits;
    bool torn;
    long length;

    public AuditFile(SafeFileHandle file, TimeProvider time)
    {
        this.file = file;
        seekable = IsSeekable(file);
        if (seekable)
            length = Continue();
        timer = time.CreateTimer(_ => WriteDeferred(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Appends one record (a JSON object) and returns whether all of it, and all that was deferred before it, is in the file. A torn line is taken back.</summary>
    public bool TryAppend(ReadOnlySpan<byte> json)
    {
        lock (gate)
            return TryWrite(json);
    }

    /// <summary>
    /// Appends one record with the next that is appended, or after ten milliseconds: for what no other step waits for. It comes behind every record before it.
    /// Where the file takes nothing, it is kept for the next attempt as long as there is room.
    /// </summary>
    public void Defer(ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            if (deferred.WrittenCount + json.Length > MostDeferred && !TryWrite([]))
                deferred.ResetWrittenCount();
            deferred.Write(json);
            deferred.Write("\n"u8);
            if (waits)
                return;
            waits = true;
            timer.Change(LongestDelay, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            TryWrite([]);
            file.Dispose();
            sha.Dispose();
        }
    }

    void WriteDeferred()
    {
        lock (gate)
        {
            waits = false;
            if (!file.IsClosed)
                TryWrite([]);
        }
    }

    /// <summary>Writes what was deferred and this record, if there is one, at once.</summary>
    bool TryWrite(ReadOnlySpan<byte> json)
    {
        // A longer line would hide the hash of the one before from whoever continues the chain.
        if (json.Length > LongestLine - HashMember.Length - Tail || !TryTakeBack())
            return false;
        Span<byte> hash = stackalloc byte[32];
        previous.CopyTo(hash);
        lines.ResetWrittenCount();
        for (var rest = deferred.WrittenSpan; !rest.IsEmpty;)
        {
            var end = rest.IndexOf((byte)'\n');
            Complete(rest[..end], hash);
            rest = rest[(end + 1)..];
        }

        if (!json.IsEmpty)
            Complete(json, hash);
        if (lines.WrittenCount == 0)
            return true;
        try
        {
            RandomAccess.Write(file, lines.WrittenSpan, length);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            KeepWhole();
            return TryTakeBack() && lines.WrittenCount == 0;
        }

        hash.CopyTo(previous);
        length += lines.WrittenCount;
        deferred.ResetWrittenCount();
        return true;
    }

    /// <summary>Adds a whole line; <paramref name="hash"/> is that of the line before it, then its own.</summary>
    void Complete(ReadOnlySpan<byte> json, Span<byte> hash)
    {
        var body = json[..^1];
        sha.AppendData(hash);
        sha.AppendData(body);
        sha.GetHashAndReset(hash);
        lines.Write(body);
        lines.Write(HashMember);
        Convert.TryToHexStringLower(hash, lines.GetSpan(64), out _);
        lines.Advance(64);
        lines.Write("\"}\n"u8);
    }

    /// <summary>After a write that ended early: the lines of it that are whole are in the chain, and what is torn is to be taken back.</summary>
    void KeepWhole()
    {
        torn = seekable;
        var reached = seekable ? RandomAccess.GetLength(file) - length : 0;
        var written = lines.WrittenSpan[..(int)Math.Clamp(reached, 0, lines.WrittenCount)];
        var whole = written.LastIndexOf((byte)'\n') + 1;
        if (whole == 0)
            return;
        Convert.FromHexString(Encoding.ASCII.GetString(written.Slice(whole - Tail, 64)), previous, out _, out _);
        length += whole;
        var left = deferred.WrittenSpan;
        for (var n = written[..whole].Count((byte)'\n'); n > 0 && !left.IsEmpty; n--)
            left = left[(left.IndexOf((byte)'\n') + 1)..];
        var kept = left.ToArray();
        deferred.ResetWrittenCount();
        deferred.Write(kept);
        if (whole == lines.WrittenCount)
            lines.ResetWrittenCount();
    }

    /// <summary>Cuts a torn line off. The file is opened for appending: what is left of one would stand before the next.</summary>
    bool TryTakeBack()
    {
        try
        {
            if (torn && RandomAccess.GetLength(file) > length)
                RandomAccess.SetLength(file, length);
            torn = false;
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
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
