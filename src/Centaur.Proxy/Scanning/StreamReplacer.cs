using System.Buffers;
using System.Text;

namespace Centaur.Proxy.Scanning;

/// <summary>
/// Replaces needles in a stream of bytes. Its output is the same however the input is cut, and it holds back nothing but a tail that could still become a
/// needle. What is searched for is asked for anew with each piece: a value may become known while a stream goes on that its upstream puts it into.
/// <para>1. The tail that was held back goes before the new bytes.</para>
/// <para>2. The earliest suffix that is the beginning of some needle (and not all of it decided) is held back, at most one byte less than the longest needle.</para>
/// <para>3. Before it, from left to right, the longest needle at each place is replaced; everything between passes.</para>
/// </summary>
/// <param name="search">What is searched for at this moment; null for nothing.</param>
sealed class StreamReplacer(Func<ScanModel?> search) : IDisposable
{
    ScanModel? current;

    byte[] window = ArrayPool<byte>.Shared.Rent(4096);
    char[] wide = ArrayPool<char>.Shared.Rent(4096);
    int carried;

    public StreamReplacer(ScanModel model)
        : this(() => model)
    {
    }

    /// <summary>How many needles were replaced.</summary>
    public long Replaced { get; private set; }

    /// <summary>How many bytes were put out.</summary>
    public long Written { get; private set; }

    /// <param name="chunk">The next bytes.</param>
    /// <param name="last">True for the last call: nothing is held back.</param>
    /// <param name="output">Takes what is decided.</param>
    public void Push(ReadOnlySpan<byte> chunk, bool last, IBufferWriter<byte> output)
    {
        current = search() ?? current;
        if (current is not { } model)
        {
            Write(output, chunk);
            return;
        }

        var length = carried + chunk.Length;
        Grow(length);
        chunk.CopyTo(window.AsSpan(carried));
        var bytes = window.AsSpan(0, length);
        Encoding.Latin1.GetChars(bytes, wide);
        var text = wide.AsSpan(0, length);

        var start = 0;
        while (true)
        {
            var found = model.IndexOf(text[start..]);
            var at = found < 0 ? length : start + found;
            var open = last ? length : OpenSuffix(model, bytes, start);
            // A needle that begins before this one, or a longer one at the same place, may still be coming.
            if (open <= at)
            {
                Write(output, bytes[start..open]);
                bytes[open..].CopyTo(window);
                carried = length - open;
                return;
            }

            var needle = model.At(text[at..]);
            Write(output, bytes[start..at]);
            Write(output, needle.Replacement);
            Replaced++;
            start = at + needle.Bytes.Length;
        }
    }

    public void Dispose()
    {
        // These held parts of values.
        ArrayPool<byte>.Shared.Return(window, clearArray: true);
        ArrayPool<char>.Shared.Return(wide, clearArray: true);
        window = [];
        wide = [];
    }

    void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        output.WriteInRecords(bytes);
        Written += bytes.Length;
    }

    /// <summary>Where the earliest suffix begins that is a proper beginning of some needle; the length where there is none.</summary>
    static int OpenSuffix(ScanModel model, ReadOnlySpan<byte> bytes, int start)
    {
        var at = Math.Max(start, bytes.Length - model.Longest + 1);
        while (at < bytes.Length)
        {
            var next = bytes[at..].IndexOfAny(model.FirstBytes);
            if (next < 0)
                return bytes.Length;
            at += next;
            var suffix = bytes[at..];
            foreach (var needle in model.Needles)
            {
                if (needle.Bytes.Length > suffix.Length && needle.Bytes.AsSpan().StartsWith(suffix))
                    return at;
            }

            at++;
        }

        return bytes.Length;
    }

    void Grow(int length)
    {
        if (window.Length >= length && wide.Length >= length)
            return;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        window.AsSpan(0, carried).CopyTo(bytes);
        ArrayPool<byte>.Shared.Return(window, clearArray: true);
        window = bytes;
        ArrayPool<char>.Shared.Return(wide, clearArray: true);
        wide = ArrayPool<char>.Shared.Rent(length);
    }
}
