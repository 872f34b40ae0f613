using Centaur.Server.Access;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Api;

/// <summary><c>POST /agent/stop</c> (contract §1.5): the running execution is cancelled and the sandbox given up. Assignment and queue stay; what is queued gets another sandbox.</summary>
internal static class StopThread
{
    static readonly CrashPoint Stopping = new("thread.stop");

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/stop", Handle)
            .Needs(Scopes.Stop).WithTags("threads").WithSummary("Stop a thread's sandbox and what runs in it")
            .Accepts<StopBody>("application/json").Produces<StopResponse>().Produces<InvalidBody>(422);

    static async Task<IResult> Handle(
        HttpContext http, PostgresDatabase database, AssignmentStore assignments, ExecutionStore executions, SandboxReservations sandboxes, EventStore events, WakeUps wakeUps,
        CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var threadKey = read.Value.ThreadKeyOf();
        if ((read.Value.Invalid ?? http.Enter(threadKey)) is { } refused)
            return refused;

        var stopped = await database.InTransaction(
            Stopping,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                var running = await executions.RequestCancelOfRunning(session, threadKey, cancellationToken);
                if (running is not null)
                    await events.Append(session, threadKey, running, [ExecutionStateEvent.Of(running, threadKey, ExecutionStatus.CancelRequested)], cancellationToken);
                var given = await sandboxes.GiveUp(session, threadKey, "stopped", cancellationToken);
                await assignments.StopSession(session, threadKey, cancellationToken);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
                return given || running is not null;
            },
            cancellationToken);
        return TypedResults.Json(new StopResponse(stopped), ApiJson.Options);
    }
}

public sealed record StopBody(string ThreadKey);

/// <param name="Ok">False where the thread had neither a sandbox nor a running execution.</param>
public sealed record StopResponse(bool Ok);
