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
            .Needs(Scopes.Status).WithTags("threads").WithSummary("Read a thread at length").Produces<ThreadDetail>().Produces<DetailBody>(404)
            .NeedsQuery("key");
        routes.MapGet("/agent/status", Status)
            .Needs(Scopes.Status).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Read where a thread's runtime stands").ProducesEither<StatusResponse, NoRuntimeResponse>()
            .NeedsQuery("key");
        routes.MapGet("/agent/runtime", Runtime)
            .Needs(Scopes.Status).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Read what a thread is assigned to").Produces<RuntimeResponse>()
            .NeedsQuery("key");
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
        var (pending, active) = (await overview.Pending(key!, cancellationToken), await overview.Assignment(key!, cancellationToken));
        return state is null or { Status: "gone" }
            ? TypedResults.Json(new NoRuntimeResponse(key!, state?.Status ?? "not_found", pending) { ActiveAssignment = active }, ApiJson.Options)
            : TypedResults.Json(
                new StatusResponse(key!, state.Status, pending, state.State, state.SandboxId, state.Harness, state.Engine, state.StartedAt)
                {
                    InflightTurnId = state.InflightTurnId, InflightAttempts = state.InflightTurnId is null ? null : state.InflightAttempts, LastResult = state.LastResult,
                    ActiveAssignment = active,
                },
                ApiJson.Options);
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

/// <summary>A thread that has no runtime, or none any more.</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="Status">gone, or not_found.</param>
/// <param name="PendingMessages">Messages that no turn has had yet.</param>
public sealed record NoRuntimeResponse(string ThreadKey, string Status, int PendingMessages)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ActiveAssignment? ActiveAssignment { get; init; }
}

/// <summary>Where a thread's runtime stands. What is about a turn, and the assignment, is left out where there is none.</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="Status">running, created, or stopped.</param>
/// <param name="PendingMessages">Messages that no turn has had yet.</param>
/// <param name="State">Of the session, as the database has it.</param>
/// <param name="SandboxId">Its first twelve characters; null between two sandboxes.</param>
/// <param name="Harness">The harness.</param>
/// <param name="Engine">As it was asked for; null where it was not.</param>
/// <param name="StartedAt">Unix seconds.</param>
public sealed record StatusResponse(
    string ThreadKey, string Status, int PendingMessages, string State, string? SandboxId, string? Harness, string? Engine, double StartedAt)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InflightTurnId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? InflightAttempts { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastResult { get; init; }

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
