using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Access;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Threads;
using Centaur.Server.Threads.Messages;

namespace Centaur.Server.Executions.Api;

/// <summary>
/// <c>POST /agent/executions/{execution_id}/steer</c> (contract §1.5): more words for a turn that runs. 1. The message is stored, aimed at the execution. 2. The worker that has the turn
/// gives it to the harness. 3. The answer says what became of it: <c>applied</c> to this step, <c>queued</c> for the next turn, or <c>pending</c> where that is not known in time.
/// Words for a turn that is over get a turn of their own. Without any words to steer with, it is a cancel.
/// </summary>
internal sealed class SteerEndpoint(
    PostgresDatabase database, ExecutionStore executions, CancelExecution cancel, PostMessage post, SteerStore store, FollowUps followUps, WakeUps wakeUps, TimeProvider time)
{
    static readonly CrashPoint Steering = new("execution.steer");
    static readonly TimeSpan ReceiptPatience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/executions/{execution_id}/steer", Handle)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Send words into a running turn; without any, cancel it")
            .Accepts<SteerBody>("application/json").Produces<SteerResponse>().Produces<DetailBody>(404).Produces<ControlBody>(409)
            .ProducesEither<InvalidBody, ControlBody>(422);

    static async Task<IResult> Handle(string execution_id, HttpContext http, SteerEndpoint endpoint, ExecutionStore executions, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http, mayBeEmpty: true);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var blocks = body.OptionalArray("content_blocks");
        if (blocks is { } some && some.EnumerateArray().Any(block => block.ValueKind != JsonValueKind.Object))
            body.Wrong("content_blocks", "must be an array of objects");
        var words = new Words(
            blocks is { } given && given.GetArrayLength() > 0 ? JsonArray.Create(given) : null, body.IdOf("message_id", "msg-"), body.OptionalText("user_id", 256),
            body.OptionalObject("metadata") is { } metadata ? JsonObject.Create(metadata)! : []);
        if (body.Invalid is { } invalid)
            return invalid;
        if (await executions.Find(execution_id, cancellationToken) is not { } found)
            return ApiFailure.Detail(StatusCodes.Status404NotFound, "Execution not found");
        return http.Enter(found.ThreadKey) ?? await endpoint.Steer(found, words, cancellationToken);
    }

    async Task<IResult> Steer(ExecutionView execution, Words words, CancellationToken cancellationToken)
    {
        using var watch = wakeUps.Watch(Topics.Thread(execution.ThreadKey));
        var stored = await database.InTransaction(
            Steering, session => Store(session, execution, words, cancellationToken), keep: o => o.Succeeded, cancellationToken);
        if (stored.Failure is { } failure)
            return failure;
        if (stored.Value is not { } messageId)
        {
            var cancelled = await cancel.Run(execution.ExecutionId, execution.ThreadKey, cancellationToken);
            return TypedResults.Json(
                new SteerResponse(cancelled.Ok, cancelled.ExecutionId, cancelled.ThreadKey, cancelled.Status) { Idempotent = cancelled.Idempotent }, ApiJson.Options);
        }

        var receipt = await Receipt(execution.ThreadKey, messageId, watch, cancellationToken);
        return TypedResults.Json(new SteerResponse(true, execution.ExecutionId, execution.ThreadKey, "steered") { MessageId = messageId, Receipt = receipt }, ApiJson.Options);
    }

    /// <returns>The id of the last message that was aimed, or null where there is nothing to steer, or nothing to steer with.</returns>
    async Task<Outcome<string?>> Store(SqlSession session, ExecutionView execution, Words words, CancellationToken cancellationToken)
    {
        await session.LockThread(execution.ThreadKey, cancellationToken);
        var status = await executions.LockStatus(session, execution.ExecutionId, cancellationToken);
        var isOver = status is not null && ExecutionStatus.IsTerminal(status);
        if (status is ExecutionStatus.CancelRequested || isOver && words.Blocks is null)
            return (string?)null;
        session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
        if (words.Blocks is null)
            return await store.AimWaiting(session, execution.ThreadKey, execution.ExecutionId, cancellationToken);

        var request = new MessageRequest(
            execution.ThreadKey, execution.AssignmentGeneration, words.MessageId, MessageEndpoints.Envelope("user", words.Blocks), words.UserId, words.Metadata);
        if ((await post.Run(session, request, cancellationToken)).Failure is { } refused)
            return refused;
        var aimed = await store.Aim(session, execution.ThreadKey, words.MessageId, execution.ExecutionId, cancellationToken);
        if (words.Replaces)
            await store.Replace(session, execution.ExecutionId, words.MessageId, cancellationToken);
        if (isOver && aimed > 0)
            await followUps.Queue(session, execution.ExecutionId, cancellationToken);
        return words.MessageId;
    }

    async Task<string> Receipt(string threadKey, string messageId, Watch watch, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        while (true)
        {
            var woken = watch.Next();
            if (await store.Receipt(threadKey, messageId, cancellationToken) is { } receipt)
                return receipt;
            if (time.GetElapsedTime(asked) > ReceiptPatience)
                return SteerReceipts.Pending;
            await watch.Wait(woken, Poll, cancellationToken);
        }
    }

    sealed record Words(JsonArray? Blocks, string MessageId, string? UserId, JsonObject Metadata)
    {
        public bool Replaces => Metadata["steer_replacement"] is JsonValue value && value.TryGetValue<bool>(out var replaces) && replaces;
    }
}

public sealed record SteerBody(IReadOnlyList<JsonObject>? ContentBlocks, string? MessageId, string? UserId, JsonObject? Metadata);

/// <param name="Ok">Always true.</param>
/// <param name="ExecutionId">The execution.</param>
/// <param name="ThreadKey">Its thread.</param>
/// <param name="Status"><c>steered</c>; where it became a cancel, the status that the execution has now.</param>
public sealed record SteerResponse(bool Ok, string ExecutionId, string ThreadKey, string Status)
{
    /// <summary>True where it became a cancel and changed nothing; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }

    /// <summary>The message that was sent into the turn.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? MessageId { get; init; }

    /// <summary><c>applied</c>, <c>queued</c> or <c>pending</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Receipt { get; init; }
}
