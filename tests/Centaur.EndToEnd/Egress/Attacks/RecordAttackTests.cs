using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>Effects without a record, and records without an effect (invariant I7).</summary>
[Collection(AttackedCollection.Name)]
public sealed class RecordAttackTests(AttackedInstallation installation)
{
    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F56_every_request_that_arrived_is_on_record_whichever_way_its_client_hid_it()
    {
        var found = await attacker.Try(
            """
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda number: ask(f"/f56/many/{number}", headers=bearer()), range(40)))
            say("pipelined", verdict(send("".join(f"GET /f56/line/{number} HTTP/1.1\r\nHost: api.vendor.test\r\n{'Connection: close' if number == 9 else 'X: y'}\r\n{bearer()}\r\n" for number in range(10)))))
            for number in range(10):
                with secure(connect("api.vendor.test:443"), "api.vendor.test") as tls:
                    tls.sendall(f"GET /f56/gone/{number} HTTP/1.1\r\nHost: api.vendor.test\r\n{bearer()}\r\n".encode())
            say("long", verdict(ask("/f56/long/" + "%0a" + "x" * 5000, headers=bearer())))
            say("quoted", verdict(ask("/f56/quote/%22,%22kind%22:%22refusal%22?a=%0a%22", headers=bearer())))
            """, Cancellation);

        found.Word("pipelined").ShouldBe(string.Join(' ', Enumerable.Repeat("200", 10)));
        found.Word("quoted").ShouldBe("200");
        var records = await attacker.Records(record => record.Text("path").StartsWith("/f56/quote/", StringComparison.Ordinal), Cancellation);
        var intents = records.Where(record => record.Text("kind") == "intent" && record.Text("path").StartsWith("/f56/", StringComparison.Ordinal)).ToList();
        var arrived = installation.Origin.Received(AttackedInstallation.Host).Where(request => request.Target.StartsWith("/f56/", StringComparison.Ordinal)).ToList();
        arrived.Count.ShouldBeGreaterThanOrEqualTo(51);
        foreach (var request in arrived.Where(request => request.Target.Length < 2048))
            intents.Count(record => record.Text("path") == request.Target.Split('?')[0]).ShouldBe(1, request.Target);
        intents.Count.ShouldBeGreaterThanOrEqualTo(arrived.Count);
        intents.ShouldAllBe(record => record.Text("thread") == attacker.Conversation.ThreadKey && record.Text("turn").StartsWith("turn-", StringComparison.Ordinal) && record.Text("principal").Length > 0);
        intents.ShouldAllBe(record => record.GetProperty("secrets").EnumerateArray().Select(name => name.GetString()).SequenceEqual(new[] { installation.Key.Secret }));
    }

    [Theory]
    [InlineData("update egress_records set line = replace(line, 'f56-rows', 'f56-rowz') where record_id = $1", "altered")]
    [InlineData("delete from egress_records where record_id = $1", "dropped")]
    public async Task F56_rows_of_a_jail_that_were_altered_or_dropped_are_named(string statement, string what)
    {
        await attacker.Try("""say("verdict", verdict(ask("/f56-rows", headers=bearer())))""", Cancellation);
        await attacker.Records(record => record.Text("path") == "/f56-rows", Cancellation);
        var sandbox = SandboxProcesses.SandboxId(installation, attacker.Conversation.ThreadKey);
        (await Verify(sandbox)).ExitCode.ShouldBe(0);
        await using var database = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        await using var connection = await database.OpenConnectionAsync(Cancellation);
        await using var find = new NpgsqlCommand("select record_id from egress_records where sandbox_id = $1 and line like '%/f56-rows%'", connection) { Parameters = { new() { Value = sandbox } } };
        var row = (long)(await find.ExecuteScalarAsync(Cancellation))!;

        await using var tamper = new NpgsqlCommand(statement, connection) { Parameters = { new() { Value = row } } };
        (await tamper.ExecuteNonQueryAsync(Cancellation)).ShouldBe(1);

        var verdict = await Verify(sandbox);
        verdict.ExitCode.ShouldBe(1);
        (verdict.Output + verdict.Errors).ShouldContain(sandbox);
        (verdict.Output + verdict.Errors).ShouldContain(what);
    }

    Task<Finished> Verify(string sandbox) => installation.Cli(["egress", "verify", "--sandbox", sandbox], null, Cancellation);
}
