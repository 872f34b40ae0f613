using System.Text.Json.Serialization;
using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Threads.Overview;

/// <summary>Every statement that looks at one thread from outside, and the one that names it.</summary>
internal sealed class ThreadOverview(PostgresDatabase database)
{
    static readonly Platform.Faults.CrashPoint Naming = new("thread.name");
    const int TextLength = 500;
    const int ShortId = 12;

    /// <summary>Null where there is no such thread.</summary>
    public async Task<ThreadDetail?> Detail(string threadKey, CancellationToken cancellationToken)
    {
        var detail = await database.First(
            $"""
            select s.thread_key, coalesce(s.harness, 'amp'), s.state, extract(epoch from s.started_at)::float8, extract(epoch from greatest(s.updated_at, m.last_at))::float8,
                   coalesce(m.messages, 0)::int, left(m.last_text, {TextLength}), s.thread_name
            from sandbox_sessions s
            left join lateral (
                select max(created_at) as last_at, count(*) as messages,
                       (select string_agg(p->>'text', ' ') from jsonb_array_elements((array_agg(parts order by created_at desc, id desc) filter (where role = 'user'))[1]) p) as last_text
                from chat_messages where thread_key = s.thread_key) m on true
            where s.thread_key = {threadKey}
            """,
            row => new ThreadDetail(row.GetString(0), row.GetString(1), row.GetString(2), row.GetDouble(3), row.GetDouble(4), row.GetInt32(5), Text(row, 6), Text(row, 7)),
            cancellationToken);
        return detail is null ? null : detail with { Participants = await Participants(threadKey, cancellationToken), TokenUsage = await Usage(threadKey, cancellationToken) };
    }

    /// <summary>Where the thread's runtime stands; null where the thread never had one.</summary>
    public Task<ThreadState?> State(string threadKey, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select case b.state when 'claimed' then 'running' when 'starting' then 'created' when 'stopping' then 'stopped' when 'dead' then 'stopped' else 'gone' end,
                   s.state, left(s.sandbox_id, {ShortId}), s.harness, s.engine, extract(epoch from s.started_at)::float8, s.inflight_turn_id, s.inflight_attempts, s.last_result
            from sandbox_sessions s
            left join lateral (
                select state from sandboxes where thread_key = s.thread_key
                order by (state in ('starting', 'claimed')) desc, created_at desc limit 1) b on true
            where s.thread_key = {threadKey}
            """,
            row => new ThreadState(
                row.GetString(0), row.GetString(1), Text(row, 2), Text(row, 3), Text(row, 4), row.GetDouble(5), Text(row, 6), row.GetInt32(7), Text(row, 8)),
            cancellationToken);

    /// <summary>How many messages wait for the thread's next turn.</summary>
    public Task<int> Pending(string threadKey, CancellationToken cancellationToken) =>
        database.First(
            $"select count(*)::int from agent_message_requests where thread_key = {threadKey} and delivered_execution_id is null", row => row.GetInt32(0), cancellationToken);

    /// <summary>The thread's active assignment, if it has one.</summary>
    public Task<ActiveAssignment?> Assignment(string threadKey, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select assignment_generation, runtime_id, harness, engine, persona_id, prompt_ref, effective_agents_md_sha256, state
            from agent_runtime_assignments where thread_key = {threadKey} and state = 'active'
            """,
            row => new ActiveAssignment(
                row.GetInt32(0), row.GetString(1), row.GetString(2), Text(row, 4), row.GetString(5), row.GetString(6), row.GetString(7)) { Engine = Text(row, 3) },
            cancellationToken);

    /// <returns>False where there is no such thread.</returns>
    public Task<bool> Name(string threadKey, string title, CancellationToken cancellationToken) =>
        database.InTransaction(
            Naming,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                return await session.Execute($"update sandbox_sessions set thread_name = {title}, updated_at = now() where thread_key = {threadKey}", cancellationToken) == 1;
            },
            cancellationToken);

    Task<IReadOnlyList<Participant>> Participants(string threadKey, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select user_id, (array_agg(metadata->>'user_name' order by created_at desc) filter (where metadata->>'user_name' is not null))[1]
            from chat_messages where thread_key = {threadKey} and user_id is not null
            group by user_id
            order by min(created_at)
            limit 100
            """,
            row => new Participant(row.GetString(0), Text(row, 1)),
            cancellationToken);

    /// <summary>The sum over the thread's turns; null where no harness has said what it used.</summary>
    Task<TokenUsage?> Usage(string threadKey, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select sum((turn_state->'usage'->>'input_tokens')::bigint)::bigint, sum((turn_state->'usage'->>'output_tokens')::bigint)::bigint
            from agent_execution_requests
            where thread_key = {threadKey} and turn_state->'usage'->>'input_tokens' is not null
            having count(*) > 0
            """,
            row => new TokenUsage(row.GetInt64(0) + row.GetInt64(1), row.GetInt64(0), row.GetInt64(1), null, []),
            cancellationToken);

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>One thread in full; times are unix seconds.</summary>
public sealed record ThreadDetail(
    string SlackThreadKey, string Harness, string State, double CreatedAt, double LastActivity, int MessageCount, string? LastUserMessage, string? ThreadName)
{
    public IReadOnlyList<Participant> Participants { get; init; } = [];

    public TokenUsage? TokenUsage { get; init; }
}

/// <summary>Who wrote in the thread. What the messages did not carry is null.</summary>
public sealed record Participant(string Id, string? Name)
{
    public string? Username { get; init; }

    public string? AvatarUrl { get; init; }
}

/// <param name="TotalTokens">Input and output.</param>
/// <param name="InputTokens">What the models read, cached input included.</param>
/// <param name="OutputTokens">What the models wrote.</param>
/// <param name="CostUsd">Null: no price list is kept here.</param>
/// <param name="Models">The models, where the harness names them.</param>
public sealed record TokenUsage(long TotalTokens, long InputTokens, long OutputTokens, double? CostUsd, IReadOnlyList<string> Models);

/// <param name="Status">Of the sandbox: running, created, stopped, or gone where there is none.</param>
/// <param name="State">Of the session, as the database has it.</param>
/// <param name="SandboxId">Its first twelve characters.</param>
/// <param name="Harness">The harness.</param>
/// <param name="Engine">As it was asked for.</param>
/// <param name="StartedAt">Unix seconds.</param>
/// <param name="InflightTurnId">The turn that runs, if one does.</param>
/// <param name="InflightAttempts">How often that turn was given to a sandbox.</param>
/// <param name="LastResult">The last answer.</param>
internal sealed record ThreadState(
    string Status, string State, string? SandboxId, string? Harness, string? Engine, double StartedAt, string? InflightTurnId, int InflightAttempts, string? LastResult);

public sealed record ActiveAssignment(
    int AssignmentGeneration, string RuntimeId, string Harness, string? PersonaId, string PromptRef, string EffectiveAgentsMdSha256, string State)
{
    [JsonIgnore]
    public string? Engine { get; init; }
}
