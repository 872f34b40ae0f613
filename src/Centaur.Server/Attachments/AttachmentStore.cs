using Centaur.Server.Platform.Database;

namespace Centaur.Server.Attachments;

/// <summary>Every statement about attachments.</summary>
public sealed class AttachmentStore(PostgresDatabase database)
{
    internal async Task Insert(SqlSession session, string threadKey, string? messageId, IReadOnlyList<Attachment> attachments, CancellationToken cancellationToken)
    {
        foreach (var attachment in attachments)
        {
            await session.Execute(
                $"""
                insert into attachments (id, thread_key, message_id, name, mime_type, data)
                values ({attachment.Id}, {threadKey}, {messageId}, {attachment.Name}, {attachment.MimeType}, {attachment.Data})
                """,
                cancellationToken);
        }
    }

    /// <summary>What is known of a file, without its bytes.</summary>
    internal Task<StoredAttachment?> Find(string id, CancellationToken cancellationToken) =>
        database.First(
            $"select id, name, mime_type, thread_key, octet_length(data) from attachments where id = {id}",
            row => new StoredAttachment(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4)),
            cancellationToken);

    /// <summary>A piece of the file, by a query of its own: a slow reader holds no connection. Null where the file is gone.</summary>
    internal Task<byte[]?> Piece(string id, int offset, int length, CancellationToken cancellationToken) =>
        database.First(
            $"select substring(data from {offset + 1} for {length}) from attachments where id = {id}", row => row.GetFieldValue<byte[]>(0), cancellationToken);

    internal Task<IReadOnlyList<AttachmentEntry>> Of(string threadKey, CancellationToken cancellationToken) =>
        database.Query(
            $"select id, name, mime_type, message_id, created_at from attachments where thread_key = {threadKey} order by created_at, id",
            row => new AttachmentEntry(
                row.GetString(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetFieldValue<DateTimeOffset>(4)),
            cancellationToken);
}

internal sealed record StoredAttachment(string Id, string Name, string MimeType, string ThreadKey, int Length);

public sealed record AttachmentEntry(string Id, string Name, string MimeType, string? MessageId, DateTimeOffset CreatedAt);
