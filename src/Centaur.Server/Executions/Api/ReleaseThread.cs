using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Access;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Api;

/// <summary>
/// <c>POST /agent/threads/{thread_key}/release</c> (contract §1.7). 1. The same id with the same payload is answered as before, with another it is refused. 2. The active assignment
/// ends; a thread without one is left as it is. 3. With <c>cancel_inflight</c> every execution ends here and now, its owner fenced off; else a running one is cancelled by its owner,
/// because its sandbox goes, and a queued one fails when it is claimed. 4. The sandbox is given up. 5. The answer is remembered.
/// </summary>
internal sealed class ReleaseThread(AssignmentStore assignments, ExecutionStore executions, SandboxReservations sandboxes, EventStore events, DeliveryOutbox deliveries, WakeUps wakeUps)
{
    const string Reason = "released";
    static readonly CrashPoint Releasing = new("thread.release");

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/threads/{thread_key}/release", Handle)
            .Needs(Scopes.Execute).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("End a thread's assignment and its sandbox")
            .Accepts<ReleaseBody>("application/json").Produces<ReleaseResponse>().Produces<ControlBody>(409).Produces<InvalidBody>(422);

    static async Task<IResult> Handle(HttpContext http, PostgresDatabase database, ReleaseThread release, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Enter(threadKey) is { } refused)
            return refused;
        var read = await JsonBody.Read(http, mayBeEmpty: true);
        if (read.Failure is { } unreadable)
            return unreadable;
        var releaseId = read.Value.IdOf("release_id", "rel-");
        var cancelInflight = read.Value.OptionalFlag("cancel_inflight") ?? false;
        if (read.Value.Invalid is { } invalid)
            return invalid;

        var outcome = await database.InTransaction(
            Releasing,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                return await release.Run(session, threadKey, releaseId, cancelInflight, cancellationToken);
            },
            keep: o => o.Succeeded,
            cancellationToken);
        return outcome.ToHttp();
    }

    async Task<Outcome<ReleaseResponse>> Run(SqlSession session, string threadKey, string releaseId, bool cancelInflight, CancellationToken cancellationToken)
    {
        // 1.
        var hash = CanonicalJson.Hash(new JsonObject { ["thread_key"] = threadKey, ["release_id"] = releaseId, ["cancel_inflight"] = cancelInflight });
        if (await assignments.ReleaseRequest(session, threadKey, releaseId, cancellationToken) is { } before)
        {
            return before.Hash == hash
                ? JsonSerializer.Deserialize<ReleaseResponse>(before.ResponseJson, ApiJson.Options)!
                : ThreadRequest.PayloadMismatch("release_id", releaseId);
        }

        var response = new ReleaseResponse(true, threadKey, false) { Reason = "no_active_assignment" };
        if (await assignments.Active(session, threadKey, cancellationToken) is { } active)
        {
            // 2.
            await assignments.Release(session, threadKey, cancellationToken);
            // 3.
            await End(session, threadKey, cancelInflight, cancellationToken);
            // 4.
            await sandboxes.GiveUp(session, threadKey, Reason, cancellationToken);
            await assignments.StopSession(session, threadKey, cancellationToken);
            response = new ReleaseResponse(true, threadKey, true) { AssignmentGeneration = active.Generation, RuntimeId = active.RuntimeId };
        }

        // 5.
        await assignments.RememberRelease(session, threadKey, releaseId, new StoredRequest(hash, JsonSerializer.Serialize(response, ApiJson.Options)), cancellationToken);
        return response;
    }

    async Task End(SqlSession session, string threadKey, bool cancelInflight, CancellationToken cancellationToken)
    {
        if (cancelInflight)
            await deliveries.Ready(session, await executions.CancelAll(session, threadKey, Reason, cancellationToken), cancellationToken);
        else if (await executions.RequestCancelOfRunning(session, threadKey, cancellationToken) is { } running)
            await events.Append(session, threadKey, running, [ExecutionStateEvent.Of(running, threadKey, ExecutionStatus.CancelRequested)], cancellationToken);
        session.AfterCommit(() =>
        {
            wakeUps.Raise(Topics.Executions);
            // No terminal event is written (contract §1.7): who follows an execution learns its end from its row.
            wakeUps.Raise(Topics.Thread(threadKey));
        });
    }
}

public sealed record ReleaseBody(string? ReleaseId, bool? CancelInflight);

public sealed record ReleaseResponse(bool Ok, string ThreadKey, bool Released)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? AssignmentGeneration { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RuntimeId { get; init; }

    /// <summary>Why nothing was released.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }
}
