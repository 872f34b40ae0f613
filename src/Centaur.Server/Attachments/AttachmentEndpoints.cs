using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;
using Microsoft.Net.Http.Headers;

namespace Centaur.Server.Attachments;

/// <summary>A thread's files (contract §1.10), for who may work on threads; a sandbox sees its own thread's.</summary>
internal static class AttachmentEndpoints
{
    const int PieceBytes = 1 << 20;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var attachments = routes.MapGroup("/agent/attachments").WithTags("attachments").Needs(Scopes.Execute).On(Listener.Api | Listener.Sandbox);
        attachments.MapGet("", List).WithSummary("List a thread's attachments").Produces<IReadOnlyList<AttachmentEntry>>().NeedsQuery("thread_key");
        attachments.MapPost("/upload", UploadAttachment.Handle).WithSummary("Upload a file for a thread")
            .Accepts<UploadBody>("application/json").Produces<UploadedAttachment>().Produces<DetailBody>(413).Produces<InvalidBody>(422);
        attachments.MapGet("/{id}/download", Download).WithSummary("Download an attachment").Produces(200, contentType: "application/octet-stream").Produces<DetailBody>(404);
    }

    static async Task<IResult> List(string? thread_key, HttpContext http, AttachmentStore store, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(thread_key))
            return ApiFailure.Invalid([new FieldError(["query", "thread_key"], "thread_key is required", "missing")]);
        if (http.Caller().RefusalFor(thread_key) is { } foreign)
            return foreign;
        http.TraceThread(thread_key);
        return TypedResults.Json(await store.Of(thread_key, cancellationToken), ApiJson.Options);
    }

    static async Task<IResult> Download(string id, HttpContext http, AttachmentStore store, CancellationToken cancellationToken)
    {
        if (await store.Find(id, cancellationToken) is not { } found)
            return ApiFailure.Detail(StatusCodes.Status404NotFound, "Attachment not found");
        if (http.Caller().RefusalFor(found.ThreadKey) is { } foreign)
            return foreign;

        // The type is its sender's word: a browser must neither show the file nor guess.
        var response = http.Response;
        response.ContentType = MediaTypeHeaderValue.TryParse(found.MimeType, out var parsed) ? parsed.ToString() : MediaTypeSniffer.Unknown;
        response.ContentLength = found.Length;
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(found.Name);
        response.Headers.ContentDisposition = disposition.ToString();
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox";
        for (var offset = 0; offset < found.Length; offset += PieceBytes)
        {
            if (await store.Piece(id, offset, PieceBytes, cancellationToken) is not { } piece)
            {
                http.Abort();
                break;
            }

            await response.Body.WriteAsync(piece, cancellationToken);
        }

        return Results.Empty;
    }
}
