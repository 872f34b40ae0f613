using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions;

/// <summary>Every statement of an owner about its running turn. Each is one transaction: the thread's lock, the fence, then the writes.</summary>
internal sealed class TurnStore(
    PostgresDatabase database, ExecutionClaims claims, EventStore events, FollowUps followUps, DeliveryOutbox deliveries, SandboxReservations sandboxes, OriginStore origins,
    ExecutionOptions options)
{
    static readonly CrashPoint Preparing = new("turn.prepare");
    static readonly CrashPoint Storing = new("turn.store");
    static readonly CrashPoint Finishing = new("turn.finish");
    static readonly CrashPoint Telling = new("turn.tell");

    /// <summary>A thread that has no title takes so much of its first answer (contract §3.1).</summary>
    const int NameCharacters = 60;

    /// <summary>
    /// Makes the turn durable before any harness hears of it: its id, its input (all messages that no execution has had yet), the sandbox that gets it.
    /// A turn that has been made before is found again; one whose sandbox is another now counts an attempt.
    /// </summary>
    /// <exception cref="NothingSaidException">There is no input: it was never given, or another turn had it.</exception>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task<PreparedTurn> Prepare(
        ClaimedExecution execution, SandboxRow sandbox, string harness, string newTurnId, CancellationToken cancellationToken) =>
        database.InTransaction(
            Preparing,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                await claims.Fence(session, execution, cancellationToken);
                return execution.TurnId is null
                    ? await Begin(session, execution, sandbox, harness, newTurnId, cancellationToken)
                    : await FindAgain(session, execution, sandbox, cancellationToken);
            },
            cancellationToken);

    /// <summary>Stores what a batch has closed, with the turn's state and the sandbox's cursor.</summary>
    /// <returns>The execution's status, which may ask to cancel.</returns>
    /// <exception cref="FencedException">Somebody else owns the execution or the sandbox.</exception>
    public Task<string> Store(ClaimedExecution execution, SandboxRow sandbox, FrameBatch batch, CancellationToken cancellationToken) =>
        database.InTransaction(
            Storing,
            async session =>
            {
                batch.Seal();
                var results = await session.Batch(
                    [
                        SqlSession.ThreadLock(execution.ThreadKey),
                        claims.Fence(execution),
                        SandboxStore.Advance(sandbox, batch.StoredSeq, batch.ClosedSeq),
                        events.Append(session, execution.ThreadKey, execution.ExecutionId, batch.Closed),
                        Sql.Of(
                            $"""
                            update agent_execution_requests
                            set turn_state = {State(batch.State)}, last_progress_at = clock_timestamp(), updated_at = clock_timestamp(),
                                silence_deadline_at = clock_timestamp() + {(batch.State.OpenTools > 0 ? options.ToolSilence : options.Silence)}
                            where execution_id = {execution.ExecutionId}
                            """),
                    ],
                    cancellationToken);
                // What was written in the name of somebody else goes with the transaction.
                if (results[1].First is not { } status || results[2].Rows != 1)
                    throw new FencedException(execution.ExecutionId);
                return status;
            },
            cancellationToken);

    /// <summary>
    /// Ends the execution: the terminal events in the contract's order, the answer in the transcript, the thread's session idle, and what is to be
    /// delivered ready. After this nothing of the turn is ever shown.
    /// </summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task Finish(ClaimedExecution execution, TurnState turn, TerminalState terminal, CancellationToken cancellationToken) =>
        database.InTransaction(
            Finishing,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                await claims.Fence(session, execution, cancellationToken);
                await events.Append(session, execution.ThreadKey, execution.ExecutionId, TerminalEvents(await origins.Facts(session, execution, cancellationToken), turn, terminal), cancellationToken);
                await session.Execute(
                    $"""
                    update agent_execution_requests
                    set status = {terminal.Status}, terminal_reason = {terminal.Reason}, result_text = {terminal.ResultText}, error_text = {terminal.ErrorText},
                        turn_state = {State(turn)}, completed_at = clock_timestamp(), updated_at = clock_timestamp(), worker_id = null,
                        metadata = metadata || {terminal.Metadata}
                    where execution_id = {execution.ExecutionId}
                    """,
                    cancellationToken);
                await session.Execute(
                    $"""
                    update sandbox_sessions
                    set state = case when state = 'stopped' then state else {(terminal.Status == ExecutionStatus.FailedPermanent ? "error" : "idle")} end, inflight_turn_id = null, inflight_turn_input = null,
                        agent_thread_id = coalesce({turn.HarnessThreadId}, agent_thread_id), last_result = {terminal.ResultText}, last_result_at = now(),
                        thread_name = coalesce(thread_name, nullif(left({terminal.ResultText}, {NameCharacters}), '')), updated_at = now()
                    where thread_key = {execution.ThreadKey}
                    """,
                    cancellationToken);
                if (terminal.ResultText is { Length: > 0 } text)
                {
                    await session.Execute(
                        $"""
                        insert into chat_messages (id, thread_key, role, parts, metadata)
                        values ({"turn-" + execution.ExecutionId}, {execution.ThreadKey}, 'assistant', {TextParts(text)}, {terminal.Metadata})
                        """,
                        cancellationToken);
                }
                if (terminal.GiveUpSandbox is { } cause)
                    await sandboxes.GiveUp(session, execution.ThreadKey, cause, cancellationToken);
                await deliveries.Ready(session, [execution.ExecutionId], cancellationToken);
                if (terminal.Status == ExecutionStatus.Cancelled)
                    await ExecutionStore.Withdraw(session, [execution.ExecutionId], cancellationToken);
                else
                    await followUps.Queue(session, execution.ExecutionId, cancellationToken);
                return true;
            },
            cancellationToken);

    /// <summary>The execution as Postgres holds it now: what an attempt that broke had learnt and not stored is not known.</summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public async Task<ClaimedExecution> Refresh(ClaimedExecution execution, CancellationToken cancellationToken) =>
        await database.First(
            $"""
            select execution_id, thread_key, assignment_generation, status, fencing_generation, durable_turn_id, attempts, turn_state::text, metadata::text,
                   clock_timestamp() - started_at, workflow_run_id is not null
            from agent_execution_requests
            where execution_id = {execution.ExecutionId} and fencing_generation = {execution.FencingGeneration}
            """,
            ClaimedExecution.Read,
            cancellationToken) ?? throw new FencedException(execution.ExecutionId);

    /// <summary>The execution's status, without a write.</summary>
    /// <exception cref="FencedException">Somebody else owns the execution, or it was ended over its owner's head.</exception>
    public async Task<string> Status(ClaimedExecution execution, CancellationToken cancellationToken) =>
        await database.First(
            $"select status from agent_execution_requests where execution_id = {execution.ExecutionId} and fencing_generation = {execution.FencingGeneration}",
            row => row.GetString(0),
            cancellationToken) ?? throw new FencedException(execution.ExecutionId);

    /// <summary>Whether the thread's sandbox is one that a turn may go on in.</summary>
    public async Task<bool> HasSandbox(string threadKey, CancellationToken cancellationToken) =>
        await database.First(
            $"select 1 from sandboxes where thread_key = {threadKey} and state in ('starting', 'claimed')", row => row.GetInt32(0), cancellationToken) == 1;

    /// <summary>The harness's own conversation on this thread, for a resume.</summary>
    public Task<string?> HarnessThreadId(string threadKey, string harness, CancellationToken cancellationToken) =>
        database.First(
            $"select agent_thread_id from sandbox_sessions where thread_key = {threadKey} and harness = {harness}",
            row => row.IsDBNull(0) ? null : row.GetString(0),
            cancellationToken);

    /// <summary>Tells the thread something that is not the harness's: a harness that is being installed, a sandbox that died and is replaced.</summary>
    public Task Tell(ClaimedExecution execution, string message, CancellationToken cancellationToken) =>
        database.InTransaction(
            Telling,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                await claims.Fence(session, execution, cancellationToken);
                await events.Append(
                    session, execution.ThreadKey, execution.ExecutionId, [new NewEvent(EventKinds.Harness, Canonical.Status(message))], cancellationToken);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// A turn has what was said when its execution was asked for, what steered a turn that was over, and what an execution that failed before it had never got. What was said with a later
    /// execution is that one's; what was said with one that was cancelled in the queue is nobody's.
    /// </summary>
    async Task<PreparedTurn> Begin(
        SqlSession session, ClaimedExecution execution, SandboxRow sandbox, string harness, string turnId, CancellationToken cancellationToken)
    {
        var messages = await session.Query(
            $"""
            update agent_message_requests m
            set delivered_execution_id = {execution.ExecutionId}
            from agent_execution_requests e
            where e.execution_id = {execution.ExecutionId} and m.thread_key = e.thread_key and m.delivered_execution_id is null
              and (m.asked_execution_id = e.execution_id
                   or m.asked_execution_id is null and (m.steers_execution_id is not null or m.created_at <= e.created_at)
                   or exists (select from agent_execution_requests f where f.execution_id = m.asked_execution_id and f.status = 'failed_permanent'))
            returning m.message_id, m.event_json::text, m.metadata::text, m.created_at
            """,
            row => new UndeliveredMessage(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3)),
            cancellationToken);
        if (messages.Count == 0)
            throw new NothingSaidException();
        var ordered = messages.OrderBy(m => m.CreatedAt).ThenBy(m => m.MessageId, StringComparer.Ordinal).ToList();
        var input = TurnEnvelope.Of(ordered);
        await session.Execute(
            $"""
            insert into sandbox_sessions
                (thread_key, sandbox_id, harness, state, inflight_turn_id, inflight_turn_input, inflight_started_at, inflight_attempts, last_delivered_id, trace_id)
            values ({execution.ThreadKey}, {sandbox.SandboxId}, {harness}, 'running', {turnId}, {new Jsonb(input)}, now(), 1, {ordered.LastOrDefault()?.MessageId},
                (select trace_id from thread_traces where thread_key = {execution.ThreadKey}))
            on conflict (thread_key) do update
            set sandbox_id = excluded.sandbox_id, state = 'running', inflight_turn_id = excluded.inflight_turn_id,
                agent_thread_id = case when sandbox_sessions.harness = excluded.harness then sandbox_sessions.agent_thread_id end,
                harness = excluded.harness,
                inflight_turn_input = excluded.inflight_turn_input, inflight_started_at = now(), inflight_attempts = 1,
                last_delivered_id = coalesce(excluded.last_delivered_id, sandbox_sessions.last_delivered_id),
                last_result = null, last_result_at = null, trace_id = coalesce(sandbox_sessions.trace_id, excluded.trace_id), updated_at = now()
            """,
            cancellationToken);
        await session.Execute(
            $"update agent_execution_requests set durable_turn_id = {turnId}, attempts = 1 where execution_id = {execution.ExecutionId}", cancellationToken);
        await events.Append(session, execution.ThreadKey, execution.ExecutionId, StartEvents(await origins.Facts(session, execution, cancellationToken), turnId), cancellationToken);
        return new PreparedTurn(turnId, input, Attempts: 1, Replayed: false, BeginsAnew: true);
    }

    /// <summary>A host that was lost is not the turn's doing: its next sandbox is no further attempt of those that are counted.</summary>
    static async Task<PreparedTurn> FindAgain(
        SqlSession session, ClaimedExecution execution, SandboxRow sandbox, CancellationToken cancellationToken)
    {
        var found = await session.First(
            $"""
            select t.sandbox_id, t.inflight_turn_input::text, t.inflight_attempts, coalesce(s.cause = {SandboxCauses.HostGone}, false), e.attempts
            from sandbox_sessions t
            join agent_execution_requests e on e.execution_id = {execution.ExecutionId}
            left join sandboxes s on s.sandbox_id = t.sandbox_id
            where t.thread_key = {execution.ThreadKey} and t.inflight_turn_id = {execution.TurnId}
            """,
            row => (SandboxId: row.GetString(0), Input: row.GetString(1), Sandboxes: row.GetInt32(2), HostGone: row.GetBoolean(3), Attempts: row.GetInt32(4)),
            cancellationToken);
        if (found.SandboxId is null)
            throw new FencedException(execution.ExecutionId);
        if (found.SandboxId == sandbox.SandboxId)
            return new PreparedTurn(execution.TurnId!, found.Input, found.Attempts, Replayed: found.Sandboxes > 1, BeginsAnew: false);

        await session.Execute(
            $"""
            update sandbox_sessions
            set sandbox_id = {sandbox.SandboxId}, inflight_attempts = inflight_attempts + 1, updated_at = now()
            where thread_key = {execution.ThreadKey}
            """,
            cancellationToken);
        var attempts = found.HostGone ? found.Attempts : found.Attempts + 1;
        await session.Execute(
            $"update agent_execution_requests set attempts = {attempts}, turn_state = null where execution_id = {execution.ExecutionId}", cancellationToken);
        return new PreparedTurn(execution.TurnId!, found.Input, attempts, Replayed: found.Sandboxes > 0, BeginsAnew: true);
    }

    static List<NewEvent> StartEvents(ExecutionFacts facts, string turnId) =>
        [ExecutionStateEvent.Of(facts.Origin.ExecutionId, facts.Origin.ThreadKey, ExecutionStatus.Running), ExecutionTold.Started(facts, turnId)];

    static List<NewEvent> TerminalEvents(ExecutionFacts facts, TurnState turn, TerminalState terminal)
    {
        List<(string, JsonNode?)> more = [("terminal_reason", terminal.Reason), ("result_text", terminal.ResultText ?? "")];
        if (terminal.ErrorText is not null)
            more.Add(("error_text", terminal.ErrorText));
        if (turn.HarnessThreadId is not null)
            more.Add(("agent_thread_id", turn.HarnessThreadId));
        if (facts.Replaced && terminal.Status == ExecutionStatus.Cancelled)
            more.Add(("suppress_final_delivery", true));
        return
        [
            ExecutionTold.Summary(facts, turn, terminal),
            ExecutionStateEvent.Of(facts.Origin.ExecutionId, facts.Origin.ThreadKey, terminal.Status, more.ToArray()),
        ];
    }

    static Jsonb State(TurnState state) => new(JsonSerializer.Serialize(state, ExecutionJson.Default.TurnState));

    static Jsonb TextParts(string text) => new(new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }).ToJsonString());
}

/// <param name="TurnId">The durable id: a keeper delivers it once however often it is offered.</param>
/// <param name="Input">The user message as JSON.</param>
/// <param name="Attempts">How often it has been given to a sandbox, this time included; those that were lost with their hosts are not counted.</param>
/// <param name="Replayed">An earlier sandbox died with it.</param>
/// <param name="BeginsAnew">What was read of it in another sandbox counts no more.</param>
internal sealed record PreparedTurn(string TurnId, string Input, int Attempts, bool Replayed, bool BeginsAnew);

/// <param name="Status">A terminal status.</param>
/// <param name="Reason">One of <see cref="TerminalReasons"/>.</param>
/// <param name="ResultText">The answer, if there is one.</param>
/// <param name="ErrorText">For people, where it failed.</param>
/// <param name="Metadata">Merged into the execution's metadata: harness and version.</param>
internal sealed record TerminalState(string Status, string Reason, string? ResultText, string? ErrorText, Jsonb Metadata)
{
    /// <summary>The sandbox is given up with the turn, for this cause: nobody could tell it to stop.</summary>
    public string? GiveUpSandbox { get; init; }
}

/// <summary>There is nothing to say to the agent. An empty turn would cost its price and answer an earlier question again.</summary>
internal sealed class NothingSaidException : Exception;
