using System.Text.Json;
using Npgsql;
using Shouldly;

namespace Centaur.EndToEnd.CrashWalk;

/// <summary>What must hold of a thread when all is quiet, read from Postgres and compared with what its client saw (design §1: I1, I2, I3).</summary>
internal static class Ledger
{
    public static async Task Check(Installation installation, PatientClient client, string at, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);

        var executions = await Rows(
            source, "select execution_id, execute_id, status, coalesce(result_text, '') from agent_execution_requests where thread_key = $1 order by created_at", client.ThreadKey, cancellationToken);
        executions.Count(e => e[1] == "execute").ShouldBe(1, $"{at}: one idempotency key, one execution");
        executions.ShouldAllBe(e => e[2] == "completed" || e[2] == "cancelled", $"{at}: every execution ended well: {Text(executions)}");

        (await Rows(source, "select message_id from agent_message_requests where thread_key = $1 and delivered_execution_id is null", client.ThreadKey, cancellationToken))
            .ShouldBeEmpty($"{at}: every acknowledged message was given to a turn");

        var ends = await Rows(
            source,
            """
            select execution_id, count(*)::text from agent_execution_events
            where thread_key = $1 and event_kind = 'execution_state' and event_json ->> 'status' in ('completed', 'failed_permanent', 'cancelled')
            group by execution_id
            """,
            client.ThreadKey, cancellationToken);
        ends.Count.ShouldBe(executions.Count, $"{at}: every execution says how it ended");
        ends.ShouldAllBe(e => e[1] == "1", $"{at}: and says it once");

        var answers = await Rows(source, "select id from chat_messages where thread_key = $1 and role = 'assistant'", client.ThreadKey, cancellationToken);
        answers.Count.ShouldBe(executions.Count(e => e[2] == "completed"), $"{at}: one answer for each completed turn");

        // Each sandbox numbers its frames from 1: only where there was one do equal numbers mean the same frame.
        (await Rows(
            source,
            """
            select e.event_id::text from agent_execution_events e join agent_execution_events o on o.thread_key = e.thread_key and o.event_id > e.event_id and o.first_seq <= e.last_seq and e.first_seq <= o.last_seq
            where e.thread_key = $1 and (select count(*) from sandboxes s where s.thread_key = $1) = 1
            """,
            client.ThreadKey, cancellationToken)).ShouldBeEmpty($"{at}: no frame is stored twice");

        var stored = await Rows(
            source, "select e.event_id::text from agent_execution_events e where thread_key = $1 and execution_id = (select execution_id from agent_execution_requests where thread_key = $1 and execute_id = 'execute') order by e.event_id",
            client.ThreadKey, cancellationToken);
        client.Seen.Select(e => e.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(stored.Select(r => r[0]), $"{at}: the client saw each event once, in order");
    }

    /// <summary>The text of the last answer.</summary>
    public static async Task<string> LastAnswer(Installation installation, PatientClient client, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        var rows = await Rows(source, "select coalesce(result_text, '') from agent_execution_requests where thread_key = $1 order by created_at desc limit 1", client.ThreadKey, cancellationToken);
        return rows[0][0];
    }

    static async Task<List<string[]>> Rows(NpgsqlDataSource source, string sql, string threadKey, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = threadKey });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<string[]>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(Enumerable.Range(0, reader.FieldCount).Select(reader.GetString).ToArray());
        return rows;
    }

    static string Text(List<string[]> rows) => JsonSerializer.Serialize(rows);
}
