using System.Buffers.Text;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace Centaur.Server.Attachments;

/// <summary><c>POST /agent/attachments/upload</c> (contract §1.10): a file for a thread, from a client or from the thread's sandbox.</summary>
internal static class UploadAttachment
{
    static readonly CrashPoint Storing = new("attachment.store");
    const int MaxUrl = 4096;

    public static async Task<IResult> Handle(HttpContext http, PostgresDatabase database, AttachmentStore store, AttachmentOptions options, CancellationToken cancellationToken)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBodyBytes;
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var threadKey = body.Text("thread_key", ThreadKey.MaxBytes * 8);
        var (given, type) = (body.Text("name"), body.Text("mime_type", 255));
        var base64 = body.Text("data", (int)Math.Min(int.MaxValue, options.MaxBodyBytes));
        var messageId = body.OptionalText("message_id", 256);
        // The contract takes it; where a file was found is no fact about the file.
        body.OptionalText("source_url", MaxUrl);
        if (body.Invalid is { } invalid)
            return invalid;
        if (http.Caller().RefusalFor(threadKey) is { } refused)
            return refused;
        if (FileName.Of(given) is not { } name)
            return ApiFailure.Invalid("name", "name must be a file's name of at most 255 bytes, without quotes, colons and characters that cannot be seen");
        if (Decode(base64) is not { } data)
            return ApiFailure.Invalid("data", "data must be base64");
        if (data.Length > options.MaxBytes)
            return ApiFailure.Detail(StatusCodes.Status413PayloadTooLarge, $"The file is larger than the {options.MaxBytes} bytes that attachments.max_bytes allows.");

        http.TraceThread(threadKey);
        var attachment = new Attachment(Attachment.NewId(), name, MediaTypeSniffer.TypeOf(type, data), data);
        await database.InTransaction(
            Storing,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                await store.Insert(session, threadKey, messageId, [attachment], cancellationToken);
            },
            cancellationToken);
        return TypedResults.Json(new UploadedAttachment(attachment.Id, attachment.Name, attachment.MimeType, $"/agent/attachments/{attachment.Id}/download"), ApiJson.Options);
    }

    static byte[]? Decode(string base64)
    {
        if (!Base64.IsValid(base64, out var length))
            return null;
        var bytes = new byte[length];
        return Convert.TryFromBase64String(base64, bytes, out var written) && written == length ? bytes : null;
    }
}

public sealed record UploadBody(string ThreadKey, string Name, string MimeType, string Data, string? MessageId, string? SourceUrl);

/// <param name="Id">The attachment's.</param>
/// <param name="Name">As it was stored: the last part of the given path.</param>
/// <param name="MimeType">As it was stored: what the first bytes bear out.</param>
/// <param name="DownloadUrl">A path of this API.</param>
public sealed record UploadedAttachment(string Id, string Name, string MimeType, string DownloadUrl);
