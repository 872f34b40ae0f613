using Centaur.Server.Executions;
using Centaur.Server.Platform.Database;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>What must hold when all is quiet: what was acknowledged, what the harnesses said, what Postgres holds and what people were told are compared.</summary>
internal sealed class ModelBooks(ModelWorld world, IEnumerable<string> acknowledged, IReadOnlySet<string> cancelled, CancellationToken cancellationToken)
{
    readonly string[] threads = world.Threads;

    public async Task Check()
    {
        var executions = await Executions();
        CheckEnds(executions);
        CheckGiven(executions);
        await CheckFrames(executions);
        await CheckOrder();
        world.Slack.Posted.Order(StringComparer.Ordinal).ShouldBe(executions.Select(e => e.Id).Order(StringComparer.Ordinal), world.Seed("every end is told to its author once"));
    }

    void CheckEnds(IReadOnlyList<Ended> executions)
    {
        executions.Select(e => e.Id).Order(StringComparer.Ordinal).ShouldBe(acknowledged.Order(StringComparer.Ordinal), world.Seed("what was acknowledged is there, and nothing else"));
        executions.ShouldAllBe(e => ExecutionStatus.IsTerminal(e.Status), world.Seed("every execution has ended"));
        executions.ShouldAllBe(e => e.Ends == 1, world.Seed("every end is said once"));
        executions.ShouldAllBe(e => e.Answers == (e.Status == ExecutionStatus.Completed ? 1 : 0), world.Seed("one answer for each completed turn"));
        executions.Where(e => e.Status == ExecutionStatus.Cancelled && e.Messages > 0).ShouldAllBe(e => cancelled.Contains(e.Id), world.Seed("nothing is cancelled that nobody wished to, unless another turn had its words"));
    }

    /// <summary>A harness gets a message once. Only where its sandbox died another one gets the same turn.</summary>
    void CheckGiven(IReadOnlyList<Ended> executions)
    {
        var given = world.Keepers.SelectMany(keeper => keeper.Given.Select(g => (keeper.SandboxId, g.Turn, g.Input))).ToList();
        given.GroupBy(g => (g.SandboxId, g.Turn)).ShouldAllBe(g => g.Count() == 1, world.Seed("a harness gets a turn once"));
        given.SelectMany(g => IdsIn(g.Input).Select(id => (Id: id, g.Turn))).Distinct().GroupBy(m => m.Id)
            .ShouldAllBe(m => m.Count() == 1, world.Seed("a message is given to one turn"));
        given.Select(g => g.Turn).Except(executions.Select(e => e.Turn)).ShouldBeEmpty(world.Seed("every turn that a harness got is the turn of an execution"));
        foreach (var turn in given.GroupBy(g => g.Turn).Where(turn => turn.Count() > 1))
        {
            turn.Take(turn.Count() - 1).ShouldAllBe(
                g => world.Keepers.Single(k => k.SandboxId == g.SandboxId).IsGone, world.Seed("a turn is given to a second sandbox only when the first is gone"));
        }
    }

    async Task CheckFrames(IReadOnlyList<Ended> executions)
    {
        var stored = await world.Database.Query(
            $"select event_json ->> 'mark', execution_id from agent_execution_events where thread_key = any ({threads}) and event_json ? 'mark' order by event_id",
            row => (Mark: row.GetString(0), Execution: row.GetString(1)), cancellationToken);
        stored.GroupBy(s => s.Mark).Where(s => s.Count() > 1).Select(s => s.Key).ShouldBeEmpty(world.Seed("no frame is stored twice"));
        foreach (var keeper in world.Keepers)
        {
            foreach (var turn in keeper.Said.Where(s => s.Turn is not null && s.Mark is not null).GroupBy(s => s.Turn!))
            {
                var execution = executions.Single(e => e.Turn == turn.Key);
                var shown = turn.Where(s => s.IsShown).Select(s => s.Mark!).ToList();
                var kept = stored.Where(s => s.Mark.StartsWith(keeper.SandboxId + "/", StringComparison.Ordinal) && s.Execution == execution.Id).Select(s => s.Mark).ToList();
                kept.ShouldBe(shown.Take(kept.Count), world.Seed($"the frames of {turn.Key} are stored in order, without a gap, and none after its end"));
                // A turn that was cancelled, or was given up for its silence, may have said more than anybody waited for.
                if (execution.Status == ExecutionStatus.Completed || execution.Reason == TerminalReasons.HarnessError)
                    kept.Count.ShouldBe(shown.Count, world.Seed($"every frame of {turn.Key} is stored"));
            }
        }
        foreach (var execution in executions.Where(e => e.Status == ExecutionStatus.Completed))
        {
            world.Keepers.SelectMany(k => k.Said).First(s => s.Turn == execution.Turn && s.Result is not null).Result
                .ShouldBe(execution.Result, world.Seed("the first end of a turn is its answer"));
        }
    }

    async Task CheckOrder()
    {
        (await Count($"select count(*) from agent_message_requests where thread_key = any ({threads}) and delivered_execution_id is null"))
            .ShouldBe(0, world.Seed("every acknowledged message was given to a turn"));
        (await Count($"select count(*) from agent_final_delivery_outbox where thread_key = any ({threads}) and state <> 'delivered'")).ShouldBe(0, world.Seed("every end is delivered"));
        (await Count(
            $"""
            select count(*)
            from agent_execution_requests a join agent_execution_requests b on b.thread_key = a.thread_key and b.created_at > a.created_at
            where a.thread_key = any ({threads}) and a.durable_turn_id is not null and b.durable_turn_id is not null and b.started_at < a.completed_at
            """)).ShouldBe(0, world.Seed("turns of a thread run in order, one at a time"));
    }

    Task<IReadOnlyList<Ended>> Executions() => world.Database.Query(
        $"""
        select execution_id, status, coalesce(durable_turn_id, ''), coalesce(terminal_reason, ''), coalesce(result_text, ''),
               (select count(*) from agent_execution_events v where v.execution_id = e.execution_id and v.event_kind = 'execution_state'
                  and v.event_json ->> 'status' in ('completed', 'failed_permanent', 'cancelled')),
               (select count(*) from chat_messages c where c.thread_key = e.thread_key and c.id = 'turn-' || e.execution_id),
               (select count(*) from agent_message_requests m where e.execution_id in (m.asked_execution_id, m.delivered_execution_id))
        from agent_execution_requests e where thread_key = any ({threads})
        """,
        row => new Ended(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)),
        cancellationToken);

    Task<long> Count(Sql sql) => world.Database.First(sql, row => row.GetInt64(0), cancellationToken);

    static IEnumerable<string> IdsIn(string input) => input.Split('[').Skip(1).Select(part => part.Split(']')[0]).Where(id => id.StartsWith("ask-", StringComparison.Ordinal));

    sealed record Ended(string Id, string Status, string Turn, string Reason, string Result, long Ends, long Answers, long Messages);
}
