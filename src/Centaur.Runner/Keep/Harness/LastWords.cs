using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Keep.Harness;

/// <summary>Takes a harness's standard error: all of it, up to a cap, into a log for operators, and its end for the sentence that says why it died.</summary>
internal sealed class LastWords(Socket stream, string logPath)
{
    const int TailBytes = 8 * 1024;
    const int QuotedBytes = 1000;
    const long LogBytes = 4 * 1024 * 1024;

    readonly List<byte> tail = [];

    /// <summary>The end of what was said, or empty.</summary>
    public string Quote
    {
        get
        {
            lock (tail)
                return Encoding.UTF8.GetString([.. tail.Skip(tail.Count - QuotedBytes)]).Trim().Replace('\0', ' ');
        }
    }

    public async Task Listen(CancellationToken cancellationToken)
    {
        using var log = File.OpenHandle(logPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        var buffer = new byte[4096];
        int read;
        while ((read = await stream.ReceiveAsync(buffer, SocketFlags.None, cancellationToken)) > 0)
        {
            Keep(log, buffer.AsSpan(0, read));
            lock (tail)
            {
                tail.AddRange(buffer.AsSpan(0, read));
                if (tail.Count > TailBytes)
                    tail.RemoveRange(0, tail.Count - TailBytes);
            }
        }
    }

    static void Keep(SafeFileHandle log, ReadOnlySpan<byte> bytes)
    {
        var length = RandomAccess.GetLength(log);
        if (length < LogBytes)
            RandomAccess.Write(log, bytes[..(int)Math.Min(bytes.Length, LogBytes - length)], length);
    }
}
