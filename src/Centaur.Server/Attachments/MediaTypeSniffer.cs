using Microsoft.Net.Http.Headers;

namespace Centaur.Server.Attachments;

/// <summary>
/// Which type a file is stored with. A type that can be told by its first bytes is believed only where they say the same; what the bytes say otherwise wins, and a claim that they
/// do not bear out becomes <c>application/octet-stream</c>. Types without such bytes (text, JSON, …) are taken as they are given.
/// </summary>
internal static class MediaTypeSniffer
{
    public const string Unknown = "application/octet-stream";

    static readonly (string Type, int Offset, byte[] Bytes)[] Signatures =
    [
        ("image/png", 0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
        ("image/jpeg", 0, [0xFF, 0xD8, 0xFF]),
        ("image/gif", 0, "GIF8"u8.ToArray()),
        ("image/webp", 8, "WEBP"u8.ToArray()),
        ("image/tiff", 0, [0x49, 0x49, 0x2A, 0x00]),
        ("image/tiff", 0, [0x4D, 0x4D, 0x00, 0x2A]),
        ("application/pdf", 0, "%PDF-"u8.ToArray()),
        ("application/zip", 0, [0x50, 0x4B, 0x03, 0x04]),
        ("application/gzip", 0, [0x1F, 0x8B]),
        ("application/zstd", 0, [0x28, 0xB5, 0x2F, 0xFD]),
        ("application/x-7z-compressed", 0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
        ("application/x-executable", 0, [0x7F, 0x45, 0x4C, 0x46]),
        ("audio/wav", 8, "WAVE"u8.ToArray()),
        ("audio/ogg", 0, "OggS"u8.ToArray()),
        ("audio/flac", 0, "fLaC"u8.ToArray()),
        ("video/mp4", 4, "ftyp"u8.ToArray()),
        ("video/webm", 0, [0x1A, 0x45, 0xDF, 0xA3]),
        ("application/vnd.sqlite3", 0, "SQLite format 3\0"u8.ToArray()),
    ];

    /// <summary>Formats that are one of the above inside.</summary>
    static readonly (string Prefix, string Inner)[] Wrapped =
    [
        ("application/vnd.openxmlformats-officedocument.", "application/zip"),
        ("application/vnd.oasis.opendocument.", "application/zip"),
        ("application/epub+zip", "application/zip"),
        ("application/java-archive", "application/zip"),
        ("application/x-zip-compressed", "application/zip"),
        ("application/x-gzip", "application/gzip"),
        ("application/x-tar", "application/gzip"),
        ("image/heic", "video/mp4"),
        ("image/avif", "video/mp4"),
        ("audio/mp4", "video/mp4"),
        ("video/quicktime", "video/mp4"),
        ("audio/webm", "video/webm"),
        ("video/x-matroska", "video/webm"),
        ("video/ogg", "audio/ogg"),
        ("application/ogg", "audio/ogg"),
        ("image/jpg", "image/jpeg"),
        ("audio/x-wav", "audio/wav"),
    ];

    public static string TypeOf(string claimed, ReadOnlySpan<byte> data)
    {
        if (!MediaTypeHeaderValue.TryParse(claimed, out var parsed) || parsed.MediaType.Value is not { } type || type.Contains('*', StringComparison.Ordinal))
            return Sniff(data) ?? Unknown;
        var plain = type.ToLowerInvariant();
        var inner = Array.Find(Wrapped, w => plain.StartsWith(w.Prefix, StringComparison.Ordinal)).Inner ?? plain;
        if (Sniff(data) is { } found)
            return found == inner ? parsed.ToString() : found;
        // An archive of tar that is not compressed has no first bytes of its own.
        return Signatures.Any(s => s.Type == inner) && plain != "application/x-tar" ? Unknown : parsed.ToString();
    }

    static string? Sniff(ReadOnlySpan<byte> data)
    {
        foreach (var (type, offset, bytes) in Signatures)
        {
            if (data.Length >= offset + bytes.Length && data.Slice(offset, bytes.Length).SequenceEqual(bytes))
                return type;
        }

        return null;
    }
}
