using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Threads;
using Centaur.Server.Threads.Messages;

namespace Centaur.Server.Executions.Api;

/// <summary>
/// <c>POST /agent/execute</c>. With a <c>message</c> it is the short form: message and execution, and without <c>assignment_generation</c> the spawn too, in one transaction, so that a
/// refusal leaves nothing half-done.
/// </summary>
internal static class ExecuteEndpoint
{
    static readonly CrashPoint Queueing = new("execution.queue");
    const int MaxMessage = 1 << 20;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/execute", Handle)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Queue a run of the agent on a thread")
            .Accepts<ExecuteBody>("application/json").Produces<ExecuteResponse>(StatusCodes.Status202Accepted)
            .Produces<ControlBody>(409).ProducesEither<InvalidBody, ControlBody>(422);

    static async Task<IResult> Handle(HttpContext http, PostgresDatabase database, SpawnThread spawn, PostMessage post, QueueExecution queue, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var parsed = Parse(read.Value, http.Caller());
        if ((parsed.Failure ?? http.Enter(parsed.Value.Execution.ThreadKey)) is { } refused)
            return refused;
        var (execution, shortForm) = parsed.Value;

        var outcome = await database.InTransaction(
            Queueing,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                return shortForm is null
                    ? await queue.Run(session, execution, cancellationToken)
                    : await RunShortForm(session, execution, shortForm, cancellationToken);
            },
            keep: o => o.Succeeded,
            cancellationToken);
        return outcome.ToHttp(StatusCodes.Status202Accepted);

        async Task<Outcome<ExecuteResponse>> RunShortForm(SqlSession session, ExecutionRequest request, ShortForm form, CancellationToken token)
        {
            if (await queue.Before(session, request.ThreadKey, request.ExecuteId, request.Hash, token) is { } before)
                return before;
            if (form.Spawn is { } wanted)
            {
                var spawned = await spawn.Run(session, wanted, http.Trace().Given, token);
                if (spawned.Failure is { } noThread)
                    return noThread;
                request = request with { Generation = spawned.Value.AssignmentGeneration, Harness = null };
            }

            var posted = await post.Run(session, form.Message with { AssignmentGeneration = request.Generation }, token);
            return posted.Failure ?? await queue.Run(session, request, token);
        }
    }

    static Outcome<(ExecutionRequest Execution, ShortForm? ShortForm)> Parse(JsonBody body, Caller asker)
    {
        var threadKey = body.ThreadKeyOf();
        var generation = body.OptionalInt("assignment_generation");
        var auto = ThreadRequest.NewId("auto-", bytes: 6);
        var executeId = body.IdOf("execute_id", generation is null ? "exec-auto-" : "exec-");
        var harness = body.OptionalText("harness", 100);
        var delivery = body.OptionalObject("delivery");
        var platform = body.OptionalText("platform", 100);
        var userId = body.OptionalText("user_id", 256);
        var metadata = body.OptionalObject("metadata") is { } given ? JsonObject.Create(given)! : [];
        var message = body.OptionalText("message", MaxMessage);
        var (engine, personaId) = (body.OptionalText("engine", 100), body.OptionalText("persona_id", 200));
        if (body.Invalid is { } invalid)
            return invalid;
        if (generation is null && string.IsNullOrEmpty(message))
            return ApiFailure.Control("MISSING_FIELD", "message is required where assignment_generation is not given.", StatusCodes.Status422UnprocessableEntity);

        var isShort = generation is null;
        var whereTo = delivery is { } chosen
            ? JsonObject.Create(chosen)!
            : new JsonObject { ["channel"] = isShort ? "dev" : "slack", ["platform"] = platform ?? (isShort ? "dev" : "slack"), ["recipient_user_id"] = userId };
        var payload = new JsonObject
        {
            ["thread_key"] = threadKey, ["assignment_generation"] = generation, ["execute_id"] = executeId, ["harness"] = harness,
            ["delivery"] = whereTo.DeepClone(), ["metadata"] = metadata.DeepClone(),
        };
        if (!string.IsNullOrEmpty(message))
            payload["message"] = message;
        var hash = CanonicalJson.Hash(payload);

        // Who asked, for the audit; not part of the payload that a repeat is compared by.
        metadata["requested_by"] = asker.Name;
        if (userId is not null)
            metadata.TryAdd("user_id", userId);
        var execution = new ExecutionRequest(threadKey, generation ?? 0, executeId, hash, harness, whereTo, metadata);
        if (string.IsNullOrEmpty(message))
            return (execution, (ShortForm?)null);

        var content = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = message });
        return (execution, new ShortForm(
            isShort ? new SpawnRequest(threadKey, $"{auto}:spawn", harness, engine, personaId, null) { ApiKeyId = asker.ApiKeyId } : null,
            new MessageRequest(threadKey, 0, $"{auto}:message", MessageEndpoints.Envelope("user", content), userId, [])));
    }

    /// <param name="Spawn">Null where the client names the assignment.</param>
    /// <param name="Message">What is said with the execution.</param>
    sealed record ShortForm(SpawnRequest? Spawn, MessageRequest Message);
}

public sealed record ExecuteBody(
    string ThreadKey, int? AssignmentGeneration, string? ExecuteId, string? Harness, JsonObject? Delivery, string? Platform, string? UserId, JsonObject? Metadata, string? Message,
    string? Engine, string? PersonaId);
