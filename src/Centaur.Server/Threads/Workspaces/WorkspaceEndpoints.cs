using System.Net.Mime;
using Centaur.Server.Access;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Centaur.Server.Threads.Workspaces;

/// <summary>
/// A client uploads a repository as a git bundle; the thread's sandbox downloads it and clones it inside its jail. The upload is spooled to a private file first: Postgres wants to know
/// a value's length before its first byte, and a slow client must not hold a connection to it.
/// </summary>
internal static class WorkspaceEndpoints
{
    const long MaxBundle = 256L << 20;
    const string Route = "/agent/workspaces/{thread_key}/bundle";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Route, Put)
            .Needs(Scopes.Execute).WithTags("workspaces").WithSummary("Upload a git bundle that the thread's sandbox will clone")
            .Accepts<Stream>(MediaTypeNames.Application.Octet).Produces<StoredBundle>()
            .Produces<ControlBody>(409).Produces<DetailBody>(413).Produces<DetailBody>(415).Produces<InvalidBody>(422);
        routes.MapGet(Route, Get)
            .Needs(Scopes.Execute).On(Listener.Api | Listener.Sandbox).WithTags("workspaces").WithSummary("Download the thread's git bundle")
            .Produces(200, contentType: MediaTypeNames.Application.Octet).Produces<DetailBody>(404);
    }

    static async Task<IResult> Put(string? name, HttpContext http, WorkspaceStore store, HostIdentity host, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Enter(threadKey) is { } refused)
            return refused;
        if (http.Request.ContentType?.Split(';')[0].Trim() != MediaTypeNames.Application.Octet)
            return ApiFailure.Detail(StatusCodes.Status415UnsupportedMediaType, "Send the bundle as application/octet-stream.");
        name ??= "workspace";
        if (name.Length is 0 or > 100 || name.Any(c => char.IsControl(c) || c == '/'))
            return ApiFailure.Invalid([new FieldError(["query", "name"], "name must be 1 to 100 characters, without slashes and control characters", "value_error")]);
        if (http.Request.ContentLength > MaxBundle)
            return TooLarge();

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBundle;
        await using var spool = Spool(host.Layout.UploadsFolder);
        try
        {
            await http.Request.Body.CopyToAsync(spool, cancellationToken);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        spool.Position = 0;
        if (await BundleHeader.Read(spool, cancellationToken) is not { } header)
            return Refused("The body is not a git bundle: make one with git bundle create - --all HEAD");
        if (BundleHeader.NeedsMore(header))
            return Refused("The bundle lacks a part of the history and cannot be cloned: bundle the whole repository, after git fetch --unshallow where it is a shallow clone");
        if (await store.HasWorked(threadKey, cancellationToken))
        {
            // The same commits again are a repeat of the request that brought them.
            return await store.Holds(threadKey, header, cancellationToken)
                ? TypedResults.Json(new StoredBundle(true, threadKey, name, spool.Length), ApiJson.Options)
                : ApiFailure.Control("WORKSPACE_IN_USE", "This thread works already, in the workspace that it has; start a new one for this repository.");
        }

        await store.Put(threadKey, name, spool, cancellationToken);
        return TypedResults.Json(new StoredBundle(true, threadKey, name, spool.Length), ApiJson.Options);
    }

    static async Task<IResult> Get(HttpContext http, WorkspaceStore store, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Enter(threadKey) is { } refused)
            return refused;
        var found = await store.Read(
            threadKey,
            async (data, length) =>
            {
                http.Response.ContentType = MediaTypeNames.Application.Octet;
                http.Response.ContentLength = length;
                await data.CopyToAsync(http.Response.Body, cancellationToken);
            },
            cancellationToken);
        return found ? Results.Empty : ApiFailure.Detail(StatusCodes.Status404NotFound, "The thread has no uploaded repository");
    }

    /// <summary>Has no name once it is open, so that a death leaves nothing behind.</summary>
    static FileStream Spool(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"bundle-{Guid.CreateVersion7():N}");
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.Asynchronous,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return stream;
    }

    static ApiFailure Refused(string why) => ApiFailure.Invalid([new FieldError(["body"], why, "value_error")]);

    static ApiFailure TooLarge() => ApiFailure.Detail(StatusCodes.Status413PayloadTooLarge, "The bundle is larger than 256 MiB. Upload a shallower history, or clone from a remote.");
}

public sealed record StoredBundle(bool Ok, string ThreadKey, string Name, long Bytes);
