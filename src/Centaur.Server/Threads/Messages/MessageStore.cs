using Centaur.Server.Platform.Database;

namespace Centaur.Server.Threads.Messages;

/// <summary>Every statement about messages.</summary>
internal sealed class MessageStore(PostgresDatabase database)
{
    public Task<string?> RequestHash(SqlSession session, string threadKey, string messageId, CancellationToken cancellationToken) =>
        session.First(
            $"select request_hash from agent_message_requests where thread_key = {threadKey} and message_id = {messageId}", row => row.GetString(0), cancellationToken);

    public async Task Insert(SqlSession session, NewMessage message, CancellationToken cancellationToken)
    {
        await session.Execute(
            $"""
            insert into agent_message_requests (thread_key, message_id, assignment_generation, request_hash, event_json, metadata)
            values ({message.ThreadKey}, {message.MessageId}, {message.Generation}, {message.Hash}, {new Jsonb(message.EventJson)}, {new Jsonb(message.MetadataJson)})
            """,
            cancellationToken);
        // Two threads' keys and ids may read the same when they are joined as the contract does: the second one's then carries a mark.
        var id = $"msg:{message.ThreadKey}:{message.MessageId}";
        if (await Write(session, id, message, cancellationToken) == 0)
            await Write(session, $"{id}:{ThreadRequest.NewId("")}", message, cancellationToken);
    }

    static Task<int> Write(SqlSession session, string id, NewMessage message, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into chat_messages (id, thread_key, role, parts, user_id, metadata)
            values ({id}, {message.ThreadKey}, {message.Role}, {new Jsonb(message.PartsJson)}, {message.UserId},
                    {new Jsonb(message.MetadataJson)} || jsonb_build_object('message_id', {message.MessageId}, 'assignment_generation', {message.Generation}))
            on conflict (id) do nothing
            """,
            cancellationToken);

    /// <summary>
    /// A page of the transcript, oldest first; null where the cursor is no message of the thread. Keys are ordered before texts are read: a sort of long texts needs room on the
    /// database's disk, and a full disk must not keep anybody from reading.
    /// </summary>
    public async Task<IReadOnlyList<ChatMessage>?> Page(string threadKey, string? cursor, int limit, CancellationToken cancellationToken)
    {
        if (cursor is not null && await database.First($"select 1 from chat_messages where id = {cursor} and thread_key = {threadKey}", row => row.GetInt32(0), cancellationToken) == 0)
            return null;
        return await database.Query(
            $"""
            select page.id, m.role, m.parts, m.user_id, m.metadata, page.created_at
            from (select id, created_at
                  from chat_messages
                  where thread_key = {threadKey}
                    and ({cursor} is null or (created_at, id) > (select created_at, id from chat_messages where id = {cursor}))
                  order by created_at, id
                  limit {limit}) page
            cross join lateral (
                select role, parts::text, user_id, metadata::text from chat_messages c where c.id = page.id offset 0) m
            order by page.created_at, page.id
            """,
            row => new ChatMessage(
                row.GetString(0), row.GetString(1), System.Text.Json.Nodes.JsonNode.Parse(row.GetString(2))!, row.IsDBNull(3) ? null : row.GetString(3),
                System.Text.Json.Nodes.JsonNode.Parse(row.GetString(4))!, row.GetFieldValue<DateTimeOffset>(5)),
            cancellationToken);
    }
}

internal sealed record NewMessage(
    string ThreadKey, string MessageId, int Generation, string Hash, string Role, string? UserId, string EventJson, string PartsJson, string MetadataJson);
