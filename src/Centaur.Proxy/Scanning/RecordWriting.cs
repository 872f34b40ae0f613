using System.Buffers;

namespace Centaur.Proxy.Scanning;

/// <summary>Writes so that what is behind the writer can make full TLS records of it: each piece of memory becomes a record of its own.</summary>
static class RecordWriting
{
    // The largest record, less what a chunk needs around it.
    const int Piece = 16 * 1024 - 32;

    public static void WriteInRecords(this IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = output.GetSpan(Math.Min(bytes.Length, Piece));
            var taken = Math.Min(room.Length, bytes.Length);
            bytes[..taken].CopyTo(room);
            output.Advance(taken);
            bytes = bytes[taken..];
        }
    }
}
