using System.Text.Json.Serialization;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads.Overview;

/// <summary>Looking at one thread, and naming it (contract §1.7). A sandbox sees its own.</summary>
internal static class OverviewEndpoints
{
    const int MaxTitle = 500;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/threads/detail", Detail)
            .Needs(Scopes.Status).WithTags("threads").WithSummary("Read a thread at length").Produces<ThreadDetail>().Produces<DetailBody>(404);
        routes.MapGet("/agent/status", Status)
            .Needs(Scopes.Status).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Read where a thread's runtime stands").Produces<StatusResponse>();
        routes.MapGet("/agent/runtime", Runtime)
            .Needs(Scopes.Status).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Read what a thread is assigned to").Produces<RuntimeResponse>();
        routes.MapPost("/agent/title", Title)
            .Needs(Scopes.Execute).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Name a thread")
            .Accepts<TitleBody>("application/json").Produces<TitleResponse>().Produces<DetailBody>(404).Produces<InvalidBody>(422);
        routes.MapPost("/agent/connect", Removed).NeedsAnyKey().WithTags("threads").WithSummary("Removed: use /agent/spawn").Produces<ControlBody>(410);
        routes.MapPost("/agent/reconnect", Removed).NeedsAnyKey().WithTags("threads").WithSummary("Removed: use /agent/threads/{thread_key}/events").Produces<ControlBody>(410);
    }

    static async Task<IResult> Detail(string? key, HttpContext http, ThreadOverview overview, CancellationToken cancellationToken)
    {
        if (http.EnterQuery("key", key) is { } refused)
            return refused;
        return await overview.Detail(key!, cancellationToken) is { } found
            ? TypedResults.Json(found, ApiJson.Options)
            : ApiFailure.Detail(StatusCodes.Status404NotFound, "thread not found");
    }

    static async Task<IResult> Status(string? key, HttpContext http, ThreadOverview overview, CancellationToken cancellationToken)
    {
        if (http.EnterQuery("key", key) is { } refused)
            return refused;
        var state = await overview.State(key!, cancellationToken);
        var response = new StatusResponse(key!, state?.Status ?? "not_found")
        {
            PendingMessages = await overview.Pending(key!, cancellationToken),
            ActiveAssignment = await overview.Assignment(key!, cancellationToken),
        };
        if (state is { Status: not "gone" })
        {
            response = response with
            {
                State = state.State, SandboxId = state.SandboxId, Harness = state.Harness, Engine = state.Engine, StartedAt = state.StartedAt,
                InflightTurnId = state.InflightTurnId, InflightAttempts = state.InflightTurnId is null ? null : state.InflightAttempts, LastResult = state.LastResult,
            };
        }

        return TypedResults.Json(response, ApiJson.Options);
    }

    static async Task<IResult> Runtime(string? key, HttpContext http, ThreadOverview overview, CancellationToken cancellationToken)
    {
        if (http.EnterQuery("key", key) is { } refused)
            return refused;
        var active = await overview.Assignment(key!, cancellationToken);
        return TypedResults.Json(
            new RuntimeResponse(
                key!, active?.AssignmentGeneration, active?.RuntimeId, active?.Harness, active?.Engine, active?.PersonaId, null, new OverlayState(false, null, null, null), []),
            ApiJson.Options);
    }

    static async Task<IResult> Title(HttpContext http, ThreadOverview overview, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var (threadKey, title) = (body.ThreadKeyOf(), body.Text("title", MaxTitle));
        if (title.Any(char.IsControl))
            body.Wrong("title", "must not hold control characters");
        if ((body.Invalid ?? http.Enter(threadKey)) is { } refused)
            return refused;
        return await overview.Name(threadKey, title, cancellationToken)
            ? TypedResults.Json(new TitleResponse(true), ApiJson.Options)
            : ApiFailure.Detail(StatusCodes.Status404NotFound, "thread not found");
    }

    static ApiFailure Removed() =>
        ApiFailure.Control("LEGACY_ENDPOINT_REMOVED", "This endpoint was removed. Use /agent/spawn, /agent/execute and /agent/threads/{thread_key}/events.", StatusCodes.Status410Gone);
}

/// <summary>Where a thread's runtime stands. What a thread does not have is left out.</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="Status">running, created, stopped, gone, or not_found.</param>
public sealed record StatusResponse(string ThreadKey, string Status)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? State { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SandboxId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Harness { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Engine { get; init; }

    /// <summary>Unix seconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? StartedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InflightTurnId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? InflightAttempts { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastResult { get; init; }

    /// <summary>Messages that no turn has had yet.</summary>
    public int PendingMessages { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ActiveAssignment? ActiveAssignment { get; init; }
}

/// <summary>What a thread is assigned to; nulls where it has no active assignment.</summary>
public sealed record RuntimeResponse(
    string ThreadKey, int? AssignmentGeneration, string? RuntimeId, string? Harness, string? Engine, string? PersonaId, PersonaEntry? Persona, OverlayState Overlay,
    IReadOnlyList<string> AvailablePersonas);

public sealed record PersonaEntry(string Name, string? Description, string? Engine, string? DefaultRepo, string? PromptFile, bool HasCustomExecutor);

public sealed record OverlayState(bool Loaded, string? MountApi, string? MountSandbox, string? Image);

public sealed record TitleBody(string ThreadKey, string Title);

public sealed record TitleResponse(bool Ok);
