using System.Reflection;
using System.Runtime.InteropServices;

namespace Centaur.Proxy.Unpacking;

/// <summary>The system's libzstd (ADR 6): the streaming half of its stable interface, see <c>zstd.h</c>.</summary>
static partial class Zstandard
{
    const string Library = "libzstd.so.1";

    /// <summary>The largest window that is unpacked, as a power of two: what RFC 8878 §3.1.1.1.2 asks of every decoder, 8 MiB.</summary>
    public const int LargestWindowLog = 23;

    const int WindowLogMax = 100;

    /// <summary>Whether this machine has the library.</summary>
    public static bool IsThere { get; } = NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), null, out _);

    /// <exception cref="IOException">The library has no memory left.</exception>
    public static DecoderHandle Open()
    {
        var decoder = ZSTD_createDStream();
        if (decoder.IsInvalid)
            throw new IOException("libzstd could not make a decoder.");
        Check(ZSTD_DCtx_setParameter(decoder, WindowLogMax, LargestWindowLog));
        return decoder;
    }

    /// <summary>Unpacks as much as there is room for.</summary>
    /// <returns>How many bytes were taken, how many were made, and whether a frame ended here.</returns>
    /// <exception cref="InvalidDataException">The bytes are not Zstandard, or need a larger window.</exception>
    public static unsafe (int Taken, int Made, bool FrameEnded) Decode(DecoderHandle decoder, ReadOnlySpan<byte> packed, Span<byte> plain)
    {
        fixed (byte* from = packed, to = plain)
        {
            var input = new Window((nint)from, (nuint)packed.Length, 0);
            var output = new Window((nint)to, (nuint)plain.Length, 0);
            var missing = Check(ZSTD_decompressStream(decoder, ref output, ref input));
            return ((int)input.Position, (int)output.Position, missing == 0);
        }
    }

    static nuint Check(nuint result) =>
        ZSTD_isError(result) == 0 ? result : throw new InvalidDataException($"The answer is not valid Zstandard: {Marshal.PtrToStringUTF8(ZSTD_getErrorName(result))}.");

    [LibraryImport(Library)]
    private static partial DecoderHandle ZSTD_createDStream();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeDStream(nint decoder);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_DCtx_setParameter(DecoderHandle decoder, int parameter, int value);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_decompressStream(DecoderHandle decoder, ref Window output, ref Window input);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint result);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint result);

    /// <summary><c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>: they have one shape.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Window(nint bytes, nuint size, nuint position)
    {
        public nint Bytes = bytes;
        public nuint Size = size;
        public nuint Position = position;
    }

    public sealed class DecoderHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => ZSTD_freeDStream(handle) == 0;
    }
}
