using System.Text.Json.Nodes;
using Centaur.Server.Egress;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Egress;

/// <summary>Somebody who can write to the tables: whatever is done to a row, the verifier names it.</summary>
public sealed class ChainWalkTests(QuietServer quiet) : IClassFixture<QuietServer>
{
    readonly ServerFixture server = quiet.Fixture;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    [Fact]
    public async Task A_record_that_says_what_a_model_cost_holds_like_any_other()
    {
        var file = new AuditFileOf(server).Line("outcome", "r-1", new JsonObject { ["status"] = 200, ["usage"] = new JsonObject { ["model"] = "gpt-5", ["calls"] = 1, ["input_tokens"] = 1, ["output_tokens"] = 1 } });
        await server.Services.GetRequiredService<AuditShipping>().Run(Cancellation);

        (await Verify(file))["holds"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData("update egress_records set line = replace(line, '200', '201') where sandbox_id = $1 and line_number = 4", 4, true, "altered")]
    [InlineData("update egress_records set line = 'x' where sandbox_id = $1 and line_number = 4", 4, true, "altered")]
    [InlineData("update egress_records set thread_key = 'another' where sandbox_id = $1 and line_number = 3", 3, true, "columns")]
    [InlineData("update egress_records set turn_id = null where sandbox_id = $1 and line_number = 3", 3, true, "columns")]
    [InlineData("update egress_records set recorded_at = recorded_at - interval '1 day' where sandbox_id = $1 and line_number = 6", 6, true, "columns")]
    [InlineData("update egress_records set kind = 'outcome' where sandbox_id = $1 and line_number = 5", 5, true, "columns")]
    [InlineData("delete from egress_records where sandbox_id = $1 and line_number = 1", 1, false, "dropped")]
    [InlineData("delete from egress_records where sandbox_id = $1 and line_number = 4", 4, false, "dropped")]
    [InlineData("delete from egress_records where sandbox_id = $1 and line_number >= 5", 5, false, "dropped")]
    [InlineData("delete from egress_records where sandbox_id = $1", 1, false, "dropped")]
    [InlineData("update egress_records set line_number = 9 - line_number where sandbox_id = $1 and line_number in (4, 5)", 4, true, "moved")]
    [InlineData("update egress_records a set line = b.line, kind = b.kind, request_id = b.request_id from egress_records b where a.sandbox_id = $1 and b.sandbox_id = $1 and a.line_number in (3, 5) and a.line_number + b.line_number = 8", 3, true, "altered, or moved")]
    [InlineData("update egress_records set record_id = -record_id where sandbox_id = $1 and line_number = 4", 4, true, "smaller id")]
    [InlineData("insert into egress_records select record_id + 1000000, sandbox_id, line_number, kind, request_id, thread_key, turn_id, recorded_at, line, stored_at from egress_records where sandbox_id = $1 and line_number = 2", 2, true, "twice")]
    [InlineData("insert into egress_records select record_id + 1000000, sandbox_id, 7, kind, request_id, thread_key, turn_id, recorded_at, line, stored_at from egress_records where sandbox_id = $1 and line_number = 6", 7, true, "never shipped")]
    [InlineData("update egress_anchors set head = decode(repeat('ab', 32), 'hex') where sandbox_id = $1", 6, false, "anchor")]
    [InlineData("delete from egress_anchors where sandbox_id = $1", 1, true, "never shipped")]
    public async Task F56_whatever_is_done_to_the_rows_the_verifier_names_the_first_that_does_not_hold(string statement, long line, bool namesRow, string what)
    {
        var file = await Shipped(3);
        (await Verify(file))["holds"]!.GetValue<bool>().ShouldBeTrue();
        var rows = await Database.Query(
            $"select line_number, record_id from egress_records where sandbox_id = {file.SandboxId}", row => (Line: row.GetInt64(0), Id: row.GetInt64(1)), Cancellation);

        await Tamper(statement, file.SandboxId);

        var verdict = await Verify(file);
        verdict["holds"]!.GetValue<bool>().ShouldBeFalse();
        var fault = verdict["faults"]!.AsArray().Single()!;
        ((string)fault["sandbox_id"]!, (long)fault["line"]!).ShouldBe((file.SandboxId, line), fault.ToJsonString());
        ((string)fault["what"]!).ShouldContain(what);
        (fault["record_id"] is not null).ShouldBe(namesRow);
        if (namesRow && what is "altered" or "columns")
            ((long)fault["record_id"]!).ShouldBe(rows.Single(row => row.Line == line).Id);
    }

    [Fact]
    public async Task F56_a_fault_in_one_sandbox_hides_no_other_and_the_rest_holds()
    {
        var (good, altered, dropped) = (await Shipped(2), await Shipped(2), await Shipped(2));
        await Tamper("update egress_records set line = replace(line, '200', '201') where sandbox_id = $1 and line_number = 2", altered.SandboxId);
        await Tamper("delete from egress_records where sandbox_id = $1 and line_number = 3", dropped.SandboxId);

        var faults = (await server.Api.Get("/admin/egress/verify")).Json!["faults"]!.AsArray().ToDictionary(f => (string)f!["sandbox_id"]!, f => (long)f!["line"]!);

        (faults[altered.SandboxId], faults[dropped.SandboxId]).ShouldBe((2, 3));
        faults.ShouldNotContainKey(good.SandboxId);
    }

    [Fact]
    public async Task Whole_days_go_when_they_are_old_enough_and_what_is_left_is_verified_from_there()
    {
        var store = server.Services.GetRequiredService<EgressStore>();
        var file = await Shipped(3);
        var old = await Shipped(1);
        await Database.Execute(
            $"""
            do $do$
            declare day date := (now() at time zone 'utc')::date - 100;
            begin
                execute format('create table %I partition of egress_records for values from (%L) to (%L)', 'egress_records_' || to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
            end $do$
            """,
            Cancellation);
        await Database.Execute(
            $"update egress_records set stored_at = ((now() at time zone 'utc')::date - 100)::timestamp at time zone 'utc' + interval '1 hour' where sandbox_id = {file.SandboxId} and line_number <= 4 or sandbox_id = {old.SandboxId}",
            Cancellation);
        await Database.Execute($"update egress_anchors set shipped_at = now() - interval '100 days', closed_at = now() where sandbox_id = {old.SandboxId}", Cancellation);

        (await store.Expire(101, Cancellation)).ShouldBe(0);
        (await store.Expire(90, Cancellation)).ShouldBe(1);

        (await Database.Query($"select line_number from egress_records where sandbox_id = {file.SandboxId} order by 1", row => row.GetInt64(0), Cancellation)).ShouldBe([5L, 6L]);
        (await Verify(file))["holds"]!.GetValue<bool>().ShouldBeTrue();
        (await server.Api.Get($"/admin/egress/verify?sandbox_id={old.SandboxId}")).Status.ShouldBe(System.Net.HttpStatusCode.NotFound, "nothing is left of it");
        await Tamper("delete from egress_records where sandbox_id = $1 and line_number = 5", file.SandboxId);
        ((long)(await Verify(file))["faults"]![0]!["line"]!).ShouldBe(5);
    }

    [Fact]
    public async Task Partitions_are_made_a_week_ahead_and_no_row_falls_beside_them()
    {
        await Shipped(1);

        (await Database.First($"select count(*) from egress_records_rest", row => row.GetInt64(0), Cancellation)).ShouldBe(0);
        (await Database.First($"select to_regclass('egress_records_' || to_char((now() at time zone 'utc')::date + 7, 'YYYYMMDD')) is not null", row => row.GetBoolean(0), Cancellation)).ShouldBeTrue();
    }

    async Task<AuditFileOf> Shipped(int requests)
    {
        var file = new AuditFileOf(server).Requests(requests);
        await server.Services.GetRequiredService<AuditShipping>().Run(Cancellation);
        return file;
    }

    async Task<JsonNode> Verify(AuditFileOf file) => (await server.Api.Get($"/admin/egress/verify?sandbox_id={file.SandboxId}")).Json!;

    async Task Tamper(string statement, string sandboxId)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(statement);
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = sandboxId });
        (await command.ExecuteNonQueryAsync(Cancellation)).ShouldBeGreaterThan(0);
    }
}
