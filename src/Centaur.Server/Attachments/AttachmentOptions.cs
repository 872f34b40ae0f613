using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Attachments;

/// <param name="MaxBytes">A larger file is answered 413.</param>
public sealed record AttachmentOptions(long MaxBytes)
{
    public static AttachmentOptions Read(Settings settings) => new(settings.Root.Section("attachments").Bytes("max_bytes", 20L << 20, 1024));

    /// <summary>The body that holds such a file as base64, and its names.</summary>
    internal long MaxBodyBytes => MaxBytes / 3 * 4 + (64 << 10);
}
