using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Keep.Journal;

/// <summary>One file of a journal: frames <see cref="First"/> to <see cref="Last"/>, a line each. Only its journal changes it, under that one's lock.</summary>
internal sealed class JournalSegment(string path, long first, SafeFileHandle file) : IDisposable
{
    public long First => first;

    public long Last => first + Count - 1;

    public long Count { get; private set; }

    public long Bytes { get; private set; }

    public SafeFileHandle File => file;

    /// <summary>Opens a segment, and cuts a last line that its writer did not finish.</summary>
    public static JournalSegment Open(string path, long first)
    {
        var file = System.IO.File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        var segment = new JournalSegment(path, first, file);
        var buffer = new byte[64 * 1024];
        long offset = 0;
        int read;
        while ((read = RandomAccess.Read(file, buffer, offset)) > 0)
        {
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != (byte)'\n')
                    continue;
                segment.Count++;
                segment.Bytes = offset + i + 1;
            }

            offset += read;
        }

        if (segment.Bytes < offset)
            RandomAccess.SetLength(file, segment.Bytes);
        return segment;
    }

    /// <param name="line">One frame with its line feed.</param>
    public void Append(ReadOnlySpan<byte> line)
    {
        RandomAccess.Write(file, line, Bytes);
        Bytes += line.Length;
        Count++;
    }

    public void Forget()
    {
        System.IO.File.Delete(path);
        Dispose();
    }

    public void Dispose() => file.Dispose();
}
