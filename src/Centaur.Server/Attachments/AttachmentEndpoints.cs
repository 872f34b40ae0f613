using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;
using Microsoft.Net.Http.Headers;

namespace Centaur.Server.Attachments;

/// <summary>Listing and downloading a thread's files (contract §1.10); a sandbox sees its own thread's.</summary>
internal static class AttachmentEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var attachments = routes.MapGroup("/agent/attachments").WithTags("attachments").NeedsAnyKey().On(Listener.Api | Listener.Sandbox);
        attachments.MapGet("", List).WithSummary("List a thread's attachments").Produces<IReadOnlyList<AttachmentEntry>>();
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
        var type = MediaTypeHeaderValue.TryParse(found.Attachment.MimeType, out var parsed) ? parsed.ToString() : "application/octet-stream";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.ContentSecurityPolicy = "sandbox";
        return TypedResults.File(found.Attachment.Data, type, found.Attachment.Name);
    }
}
