using System.Runtime.InteropServices;

namespace Centaur.Proxy.Tests.Unpacking;

/// <summary>Packs as an origin would, by the system's libzstd.</summary>
static partial class ZstandardPacker
{
    const int Level = 3;
    const int WindowLog = 101;
    const int LevelParameter = 100;

    /// <param name="plain">What is packed.</param>
    /// <param name="windowLog">The window, as a power of two; 0 leaves it to the library.</param>
    public static unsafe byte[] Pack(ReadOnlySpan<byte> plain, int windowLog = 0)
    {
        var packed = new byte[ZSTD_compressBound((nuint)plain.Length)];
        var packer = ZSTD_createCCtx();
        try
        {
            ZSTD_CCtx_setParameter(packer, LevelParameter, Level);
            ZSTD_CCtx_setParameter(packer, WindowLog, windowLog);
            fixed (byte* from = plain, to = packed)
                return packed[..(int)ZSTD_compress2(packer, to, (nuint)packed.Length, from, (nuint)plain.Length)];
        }
        finally
        {
            ZSTD_freeCCtx(packer);
        }
    }

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_compressBound(nuint size);

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_freeCCtx(nint packer);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_CCtx_setParameter(nint packer, int parameter, int value);

    [LibraryImport("libzstd.so.1")]
    private static unsafe partial nuint ZSTD_compress2(nint packer, byte* to, nuint room, byte* from, nuint size);
}
