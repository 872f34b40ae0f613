using System.IO.Compression;

namespace Centaur.Proxy.Unpacking;

/// <summary>What a <c>Content-Encoding</c> says, so that an answer can be searched: the codings that are unpacked here, in the order in which they were applied (RFC 9110 §8.4).</summary>
sealed class Unpacker
{
    // Each coding multiplies what one byte can become; an honest answer has one.
    const int MostCodings = 2;

    readonly string[] codings;

    Unpacker(string[] codings) => this.codings = codings;

    /// <summary>Whether there is anything to unpack.</summary>
    public bool IsPacked => codings.Length > 0;

    /// <summary>Whether all of it can be unpacked here.</summary>
    public bool IsKnown => codings.Length <= MostCodings && Array.TrueForAll(codings, coding => coding is "gzip" or "x-gzip" or "br" or "deflate" || (coding == "zstd" && Zstandard.IsThere));

    /// <param name="header">The header's value; empty where there is none.</param>
    public static Unpacker Of(string header) =>
        new([.. header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(coding => coding.ToLowerInvariant()).Where(coding => coding != "identity")]);

    /// <summary>The plain answer. What was applied last comes off first.</summary>
    public Stream Unpack(Stream packed) => codings.Reverse().Aggregate(packed, (stream, coding) => coding switch
    {
        "br" => new BrotliStream(stream, CompressionMode.Decompress),
        "deflate" => new ZLibStream(stream, CompressionMode.Decompress),
        "zstd" => new ZstandardStream(stream),
        _ => new GZipStream(stream, CompressionMode.Decompress),
    });
}
