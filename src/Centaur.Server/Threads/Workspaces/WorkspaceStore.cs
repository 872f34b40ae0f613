using System.Data;
using Centaur.Server.Platform.Database;
using Npgsql;
using NpgsqlTypes;

namespace Centaur.Server.Threads.Workspaces;

/// <summary>Every statement about uploaded repositories. Bundles are large: they go through as streams.</summary>
internal sealed class WorkspaceStore(NpgsqlDataSource source, PostgresDatabase database)
{
    /// <summary>Stores a thread's bundle in place of the one before.</summary>
    public async Task Put(string threadKey, string name, FileStream bundle, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(
            """
            insert into workspace_bundles (thread_key, name, data) values ($1, $2, $3)
            on conflict (thread_key) do update set name = excluded.name, data = excluded.data, created_at = now()
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = threadKey });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = bundle });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Hands the thread's bundle to the reader, with its length; false where there is none.</summary>
    public async Task<bool> Read(string threadKey, Func<Stream, long, Task> reader, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("select octet_length(data), data from workspace_bundles where thread_key = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = threadKey });
        await using var row = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            return false;
        var length = row.GetInt32(0);
        await using var data = await row.GetStreamAsync(1, cancellationToken);
        await reader(data, length);
        return true;
    }

    /// <summary>True once a turn of the thread has had its workspace: what is uploaded later would never be cloned into it.</summary>
    public async Task<bool> HasWorked(string threadKey, CancellationToken cancellationToken) =>
        await database.First(
            $"select 1 from sandbox_sessions where thread_key = {threadKey} and (agent_thread_id is not null or inflight_turn_id is not null)",
            row => row.GetInt32(0),
            cancellationToken) == 1;

    /// <summary>True where the thread's bundle begins with this header: it brings the same commits.</summary>
    public async Task<bool> Holds(string threadKey, byte[] header, CancellationToken cancellationToken) =>
        await database.First(
            $"select 1 from workspace_bundles where thread_key = {threadKey} and substring(data from 1 for {header.Length}) = {header}",
            row => row.GetInt32(0),
            cancellationToken) == 1;

    /// <summary>The name of the bundle that the thread's workspace is made from, or null.</summary>
    public Task<string?> Waiting(string threadKey, CancellationToken cancellationToken) =>
        database.First($"select name from workspace_bundles where thread_key = {threadKey}", row => row.GetString(0), cancellationToken);
}
