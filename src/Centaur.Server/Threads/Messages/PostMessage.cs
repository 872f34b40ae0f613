using System.Text.Json.Nodes;
using Centaur.Server.Attachments;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads.Messages;

/// <summary>One message for a thread (contract §1.3).</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="AssignmentGeneration">The assignment that it is meant for.</param>
/// <param name="MessageId">The client's id: the same id is the same message.</param>
/// <param name="Event">The envelope for the harness.</param>
/// <param name="UserId">Who wrote it.</param>
/// <param name="Metadata">What the client wants to remember with it.</param>
public sealed record MessageRequest(string ThreadKey, int AssignmentGeneration, string MessageId, JsonObject Event, string? UserId, JsonObject Metadata);

public sealed record MessageResponse(bool Ok, string MessageId, string StoredEventId, IReadOnlyList<string> AttachmentIds)
{
    /// <summary>True where the message was stored before; left out else.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }
}

/// <summary>
/// Stores a message for the thread's next turn (contract §1.3). 1. The same id with the same payload is answered as stored, with another it is refused. 2. The envelope holds content
/// blocks. 3. The generation is the active assignment's. 4. Files are taken out. 5. Transcript, request and files are written together.
/// </summary>
public sealed class PostMessage
{
    static readonly string[] Roles = ["user", "assistant", "system"];
    readonly AssignmentStore assignments;
    readonly MessageStore messages;
    readonly AttachmentStore attachments;

    internal PostMessage(AssignmentStore assignments, MessageStore messages, AttachmentStore attachments) =>
        (this.assignments, this.messages, this.attachments) = (assignments, messages, attachments);

    /// <summary>In the caller's transaction, which must hold the thread's lock.</summary>
    public async Task<Outcome<MessageResponse>> Run(SqlSession session, MessageRequest request, CancellationToken cancellationToken)
    {
        var metadata = (JsonObject)request.Metadata.DeepClone();
        if (request.UserId is not null)
            metadata["user_id"] = request.UserId;
        var storedEventId = $"{request.ThreadKey}:{request.MessageId}";

        // 1.
        var hash = CanonicalJson.Hash(new JsonObject
        {
            ["thread_key"] = request.ThreadKey, ["assignment_generation"] = request.AssignmentGeneration, ["message_id"] = request.MessageId,
            ["event"] = request.Event.DeepClone(), ["metadata"] = metadata.DeepClone(),
        });
        if (await messages.RequestHash(session, request.ThreadKey, request.MessageId, cancellationToken) is { } before)
        {
            return before == hash
                ? new MessageResponse(true, request.MessageId, storedEventId, []) { Idempotent = true }
                : ThreadRequest.PayloadMismatch("message_id", request.MessageId);
        }

        // 2.
        if (request.Event["message"] is not JsonObject envelope || envelope["content"] is not JsonArray { Count: > 0 } content || content.Any(block => block is not JsonObject))
            return ApiFailure.Control("INVALID_AMP_EVENT_ENVELOPE", "The message has no content blocks: give parts, or event.message.content, as an array of objects.", 400);
        var role = envelope["role"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "user";
        if (!Roles.Contains(role))
            return ApiFailure.Invalid("role", $"role must be one of {string.Join(", ", Roles)}");

        // 3.
        var active = await assignments.Active(session, request.ThreadKey, cancellationToken);
        if (AssignmentChecks.Refusal(active, request.AssignmentGeneration) is { } refused)
            return refused;

        // 4.
        var extracted = InlineAttachments.Extract(content);
        if (extracted.Failure is { } invalid)
            return invalid;
        var stored = (JsonObject)request.Event.DeepClone();
        stored["message"]!["content"] = extracted.Value.EventContent;

        // 5.
        await messages.Insert(
            session,
            new NewMessage(
                request.ThreadKey, request.MessageId, request.AssignmentGeneration, hash, role, request.UserId, stored.ToJsonString(), extracted.Value.ChatParts.ToJsonString(),
                metadata.ToJsonString()),
            cancellationToken);
        await attachments.Insert(session, request.ThreadKey, request.MessageId, extracted.Value.Attachments, cancellationToken);
        return new MessageResponse(true, request.MessageId, storedEventId, extracted.Value.Attachments.Select(a => a.Id).ToList());
    }
}
