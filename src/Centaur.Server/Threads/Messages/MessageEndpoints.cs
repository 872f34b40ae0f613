using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads.Messages;

/// <summary><c>POST /agent/message</c>, <c>POST /agent/messages</c> and <c>GET /agent/messages</c> (contract §1.3).</summary>
internal static class MessageEndpoints
{
    static readonly CrashPoint Storing = new("message.store");
    const int MostMessages = 500;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/agent/message", Post)
            .Needs(Scopes.Execute).WithTags("threads").WithSummary("Store a message for a thread's next turn")
            .Accepts<MessageBody>("application/json").Produces<MessageResponse>()
            .ProducesEither<DetailBody, ControlBody>(400).Produces<ControlBody>(409).ProducesEither<InvalidBody, ControlBody>(422);
        routes.MapPost("/agent/messages", PostBatch)
            .Needs(Scopes.Execute).WithTags("threads").WithSummary("Store several messages, all or none")
            .Accepts<MessageBatchBody>("application/json").Produces<MessageBatchResponse>()
            .ProducesEither<DetailBody, ControlBody>(400).Produces<ControlBody>(409).ProducesEither<InvalidBody, ControlBody>(422);
        routes.MapGet("/agent/messages", List)
            .Needs(Scopes.Execute).On(Listener.Api | Listener.Sandbox).WithTags("threads").WithSummary("Read a thread's transcript, oldest first").Produces<MessagePage>()
            .NeedsQuery("thread_key").Produces<DetailBody>(400);
    }

    static async Task<IResult> Post(HttpContext http, PostgresDatabase database, PostMessage post, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var request = Parse(read.Value);
        if ((request.Failure ?? http.Enter(request.Value.ThreadKey)) is { } refused)
            return refused;
        var stored = await Store(database, [request.Value], post, cancellationToken);
        return stored.Failure is { } failure ? failure : TypedResults.Json(stored.Value[0], ApiJson.Options);
    }

    static async Task<IResult> PostBatch(HttpContext http, PostgresDatabase database, PostMessage post, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var threadKey = body.ThreadKeyOf();
        body.Int("assignment_generation");
        var items = body.OptionalArray("messages");
        if ((body.Invalid ?? http.Enter(threadKey)) is { } refused)
            return refused;

        var requests = new List<MessageRequest>();
        foreach (var item in items?.EnumerateArray().ToList() ?? [body.Root])
        {
            if (item.ValueKind != JsonValueKind.Object || requests.Count == MostMessages)
                return ApiFailure.Invalid("messages", $"messages must be an array of at most {MostMessages} objects");
            var request = Parse(JsonBody.Of(Merge(body.Root, item)));
            if (request.Failure is { } invalid)
                return invalid;
            if (request.Value.ThreadKey != threadKey)
                return ApiFailure.Invalid("messages", "every message of a batch must be for the batch's thread");
            requests.Add(request.Value);
        }

        var stored = await Store(database, requests, post, cancellationToken);
        return stored.Failure is { } failure
            ? failure
            : TypedResults.Json(new MessageBatchResponse(true, stored.Value.Count(r => !r.Idempotent), stored.Value.Select(r => r.MessageId).ToList()), ApiJson.Options);
    }

    static Task<Outcome<IReadOnlyList<MessageResponse>>> Store(
        PostgresDatabase database, List<MessageRequest> requests, PostMessage post, CancellationToken cancellationToken) =>
        database.InTransaction<Outcome<IReadOnlyList<MessageResponse>>>(
            Storing,
            async session =>
            {
                var responses = new List<MessageResponse>();
                if (requests.Count > 0)
                    await session.LockThread(requests[0].ThreadKey, cancellationToken);
                foreach (var request in requests)
                {
                    var outcome = await post.Run(session, request, cancellationToken);
                    if (outcome.Failure is { } failure)
                        return failure;
                    responses.Add(outcome.Value);
                }

                return responses;
            },
            keep: o => o.Succeeded,
            cancellationToken);

    static async Task<IResult> List(string? thread_key, string? cursor, string? limit, HttpContext http, MessageStore messages, CancellationToken cancellationToken)
    {
        if (http.EnterQuery("thread_key", thread_key) is { } refused)
            return refused;
        var size = PageSize.Of(limit, 50, 200);
        if (size.Failure is { } invalid)
            return invalid;
        if (await messages.Page(thread_key!, cursor is "" ? null : cursor, size.Value + 1, cancellationToken) is not { } page)
            return ApiFailure.Detail(StatusCodes.Status400BadRequest, "cursor is not the id of a message of this thread.");
        var shown = page.Take(size.Value).ToList();
        return TypedResults.Json(new MessagePage(shown, shown.Count > 0 ? shown[^1].Id : null, page.Count > size.Value), ApiJson.Options);
    }

    internal static Outcome<MessageRequest> Parse(JsonBody body)
    {
        var threadKey = body.ThreadKeyOf();
        var generation = body.Int("assignment_generation");
        var messageId = body.IdOf("message_id", "msg-");
        var role = body.OptionalText("role", 20) ?? "user";
        var parts = body.OptionalArray("parts");
        var envelope = body.OptionalObject("event");
        var userId = body.OptionalText("user_id", 256);
        var metadata = body.OptionalObject("metadata");
        if (body.Invalid is { } invalid)
            return invalid;
        var @event = envelope is { } given
            ? JsonObject.Create(given)!
            : Envelope(role, parts is { } content ? JsonArray.Create(content)! : []);
        return new MessageRequest(threadKey, generation, messageId, @event, userId, metadata is { } data ? JsonObject.Create(data)! : []);
    }

    /// <summary>The envelope of a message that was given as role and parts.</summary>
    internal static JsonObject Envelope(string role, JsonArray content) =>
        new() { ["type"] = "user", ["message"] = new JsonObject { ["role"] = role, ["content"] = content } };

    static JsonElement Merge(JsonElement body, JsonElement item)
    {
        var merged = new JsonObject();
        foreach (var property in body.EnumerateObject().Where(p => p.Name != "messages").Concat(item.EnumerateObject().Where(p => p.Name != "messages")))
            merged[property.Name] = property.Value.ValueKind == JsonValueKind.Null ? null : JsonNode.Parse(property.Value.GetRawText());
        return JsonSerializer.SerializeToElement(merged);
    }
}

public sealed record MessageBody(
    string ThreadKey, int AssignmentGeneration, string? MessageId, JsonObject? Event, string? Role, IReadOnlyList<JsonObject>? Parts, string? UserId, JsonObject? Metadata);

public sealed record MessageBatchBody(string ThreadKey, int AssignmentGeneration, IReadOnlyList<MessageBody>? Messages);

public sealed record MessageBatchResponse(bool Ok, int Inserted, IReadOnlyList<string> MessageIds);

public sealed record ChatMessage(string Id, string Role, JsonNode Parts, string? UserId, JsonNode Metadata, DateTimeOffset CreatedAt);

public sealed record MessagePage(IReadOnlyList<ChatMessage> Messages, string? Cursor, bool HasMore);
