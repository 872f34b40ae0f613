using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Threads;

/// <summary>Every statement about assignments and the requests that made them. All of them run under the thread's lock.</summary>
public sealed class AssignmentStore
{
    /// <summary>The thread's active assignment, if it has one.</summary>
    public Task<Assignment?> Active(SqlSession session, string threadKey, CancellationToken cancellationToken) =>
        session.First(
            $"""
            select assignment_generation, runtime_id, harness, engine, persona_id, prompt_ref, effective_agents_md_sha256, agents_md_override
            from agent_runtime_assignments
            where thread_key = {threadKey} and state = 'active'
            """,
            Read,
            cancellationToken)!;

    internal Task<StoredRequest?> SpawnRequest(SqlSession session, string threadKey, string spawnId, CancellationToken cancellationToken) =>
        session.First(
            $"select request_hash, response_json::text from agent_spawn_requests where thread_key = {threadKey} and spawn_id = {spawnId}",
            row => new StoredRequest(row.GetString(0), row.GetString(1)),
            cancellationToken);

    internal Task RememberSpawn(SqlSession session, string threadKey, string spawnId, StoredRequest request, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into agent_spawn_requests (thread_key, spawn_id, request_hash, response_json)
            values ({threadKey}, {spawnId}, {request.Hash}, {new Jsonb(request.ResponseJson)})
            """,
            cancellationToken);

    /// <summary>The release that was asked for under this id before.</summary>
    public Task<StoredRequest?> ReleaseRequest(SqlSession session, string threadKey, string releaseId, CancellationToken cancellationToken) =>
        session.First(
            $"select request_hash, response_json::text from agent_release_requests where thread_key = {threadKey} and release_id = {releaseId}",
            row => new StoredRequest(row.GetString(0), row.GetString(1)),
            cancellationToken);

    public Task RememberRelease(SqlSession session, string threadKey, string releaseId, StoredRequest request, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into agent_release_requests (thread_key, release_id, request_hash, response_json)
            values ({threadKey}, {releaseId}, {request.Hash}, {new Jsonb(request.ResponseJson)})
            """,
            cancellationToken);

    /// <summary>Ends the active assignment. With it end the tokens that were made for its generation.</summary>
    public Task Release(SqlSession session, string threadKey, CancellationToken cancellationToken) =>
        session.Execute(
            $"update agent_runtime_assignments set state = 'released', released_at = now(), updated_at = now() where thread_key = {threadKey} and state = 'active'",
            cancellationToken);

    /// <summary>The contract's view of a thread whose sandbox was given up. A turn in flight stays in it until its owner has ended it.</summary>
    public Task StopSession(SqlSession session, string threadKey, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update sandbox_sessions s
            set state = 'stopped', updated_at = now(),
                inflight_turn_id = live.durable_turn_id, inflight_turn_input = case when live.durable_turn_id is not null then s.inflight_turn_input end
            from (select (select durable_turn_id from agent_execution_requests
                          where thread_key = {threadKey} and status in ('running', 'cancel_requested', 'retry_wait')) as durable_turn_id) live
            where s.thread_key = {threadKey}
            """,
            cancellationToken);

    internal Task<int> Insert(SqlSession session, string threadKey, Assignment assignment, CancellationToken cancellationToken) =>
        session.First(
            $"""
            insert into agent_runtime_assignments
                (thread_key, assignment_generation, runtime_id, harness, engine, persona_id, prompt_ref, effective_agents_md_sha256, agents_md_override, state)
            select {threadKey}, 1 + coalesce(max(assignment_generation), 0), {assignment.RuntimeId}, {assignment.Harness}, {assignment.Engine}, {assignment.PersonaId},
                   {assignment.PromptRef}, {assignment.PromptSha}, {assignment.AgentsMdOverride}, 'active'
            from agent_runtime_assignments where thread_key = {threadKey}
            returning assignment_generation
            """,
            row => row.GetInt32(0),
            cancellationToken);

    /// <summary>Remembers which API key began the thread.</summary>
    internal Task Own(SqlSession session, string threadKey, string apiKeyId, CancellationToken cancellationToken) =>
        session.Execute(
            $"insert into thread_owners (thread_key, api_key_id) values ({threadKey}, {apiKeyId}) on conflict (thread_key) do nothing", cancellationToken);

    internal Task RefreshRuntime(SqlSession session, string threadKey, int generation, string runtimeId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update agent_runtime_assignments set runtime_id = {runtimeId}, updated_at = now()
            where thread_key = {threadKey} and assignment_generation = {generation} and runtime_id <> {runtimeId}
            """,
            cancellationToken);

    /// <summary>Keeps the contract's view of the thread's runtime in step.</summary>
    internal Task UpsertSession(SqlSession session, string threadKey, Assignment assignment, Guid traceId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into sandbox_sessions (thread_key, sandbox_id, harness, engine, trace_id)
            values ({threadKey}, {assignment.RuntimeId}, {assignment.Harness}, {assignment.Engine}, {traceId})
            on conflict (thread_key) do update
            set sandbox_id = excluded.sandbox_id, harness = excluded.harness, engine = excluded.engine, trace_id = excluded.trace_id, updated_at = now(),
                state = case when sandbox_sessions.sandbox_id is distinct from excluded.sandbox_id then 'idle' else sandbox_sessions.state end
            """,
            cancellationToken);

    static Assignment Read(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), Text(row, 3), Text(row, 4), row.GetString(5), row.GetString(6), Text(row, 7));

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>A request that was answered: a repeat with the same hash gets the same answer.</summary>
public sealed record StoredRequest(string Hash, string ResponseJson);
