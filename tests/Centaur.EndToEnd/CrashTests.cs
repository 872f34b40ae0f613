using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>What holds when programs are killed. The walls of the jail and the keys have classes of their own.</summary>
public sealed class CrashTests(Installation installation) : IClassFixture<Installation>
{
    const int Numbers = 24;
    const string Counting = "Count to 24, one every 0.5 seconds";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("built-in")]
    [InlineData("codex")]
    public async Task F3_a_server_killed_five_times_loses_no_frame_and_answers_once(string harness)
    {
        var conversation = new Conversation(installation, harness);
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var harnessBefore = SandboxProcesses.Harness(installation, conversation.ThreadKey);
        var execution = await conversation.Start(Counting, Cancellation);
        var seen = Collect(conversation, execution);
        var random = new Random(20261120);

        for (var kill = 0; kill < 5; kill++)
        {
            await Task.Delay(random.Next(200, 1_500), Cancellation);
            SandboxProcesses.Kill(installation.Server.Process.Pid);
            // The last time it stays away until the harness has long finished: the keeper's journal holds the rest.
            if (kill == 4)
                await Task.Delay(TimeSpan.FromSeconds(20), Cancellation);
            await installation.Up(Cancellation);
        }

        var ended = await conversation.End(execution, Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        Text(await seen).ShouldBe(string.Join('\n', Enumerable.Range(1, Numbers)));
        (await seen).Count(e => e.Kind == "execution_state" && e.Json.GetProperty("status").GetString() == "completed").ShouldBe(1);
        SandboxProcesses.Harness(installation, conversation.ThreadKey).ShouldBe(harnessBefore, "the same harness process, through all of it");
    }

    [Fact]
    public async Task An_ask_whose_server_is_killed_finds_the_next_one_wherever_it_listens()
    {
        var before = installation.Server;
        var asking = installation.Cli(["ask", "--thread", "ask-through-a-kill", "--harness", "built-in", "Count to 8, one every 0.5 seconds"], null, Cancellation);
        await Programs.Until(() => installation.Model.Requests.Any(r => r.ToJsonString().Contains("Count to 8", StringComparison.Ordinal)), Cancellation);

        SandboxProcesses.Kill(before.Process.Pid);
        var answer = (await asking).Succeeded();

        answer.Output.Trim().ShouldEndWith("8");
        installation.Server.Api.ShouldNotBe(before.Api);
        await installation.Up(Cancellation);
    }

    [Fact]
    public async Task A_keeper_that_dies_before_its_first_turn_costs_the_thread_nothing()
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Spawn(Cancellation);
        await Programs.Until(() => SandboxProcesses.IsUp(installation, conversation.ThreadKey), Cancellation);
        var first = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);

        SandboxProcesses.Kill(SandboxProcesses.Keeper(installation, conversation.ThreadKey));
        var answer = await conversation.Say("Reply with exactly PONG.", Cancellation);

        answer.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG", answer.ToString());
        SandboxProcesses.SandboxId(installation, conversation.ThreadKey).ShouldNotBe(first);
    }

    [Fact]
    public async Task The_death_of_the_proxy_costs_the_requests_in_flight_and_not_the_sandbox()
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var harness = SandboxProcesses.Harness(installation, conversation.ThreadKey);

        SandboxProcesses.Kill(SandboxProcesses.Proxy(installation, conversation.ThreadKey));
        var next = await conversation.Say("Reply with exactly PONG.", Cancellation);

        next.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
        SandboxProcesses.Harness(installation, conversation.ThreadKey).ShouldBe(harness);
    }

    [Theory]
    [InlineData("keeper")]
    [InlineData("jail")]
    public async Task F5_a_turn_whose_sandbox_dies_is_replayed_once_and_completes(string victim)
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var execution = await conversation.Start("Count to 6, one every 0.5 seconds", Cancellation);
        await foreach (var streamed in conversation.Events(execution, 0, Cancellation))
        {
            if (streamed.Kind == "amp_raw_event" && streamed.Json.GetRawText().Contains("delta", StringComparison.Ordinal))
                break;
        }

        SandboxProcesses.Kill(victim == "keeper"
            ? SandboxProcesses.Keeper(installation, conversation.ThreadKey)
            : SandboxProcesses.Init(installation, conversation.ThreadKey));
        var ended = await conversation.End(execution, Cancellation);

        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        ended.GetProperty("result_text").GetString()!.ShouldContain("1\n2\n3\n4\n5\n6", customMessage: installation.Model.Requests[^1]["body"]!.ToJsonString());
    }

    [Fact]
    public async Task A_client_that_reconnects_with_any_cursor_sees_every_later_event_once_and_in_order()
    {
        var one = new Conversation(installation, "built-in");
        var two = new Conversation(installation, "built-in");
        var first = await one.Start("Count to 8, one every 0.2 seconds", Cancellation);
        var second = await two.Start("Count to 8, one every 0.2 seconds", Cancellation);
        await Task.WhenAll(one.End(first, Cancellation), two.End(second, Cancellation));

        foreach (var (conversation, execution) in ((Conversation, string)[])[(one, first), (two, second)])
        {
            var all = await Ids(conversation, execution, 0);
            all.ShouldBe(all.Order());
            all.Distinct().Count().ShouldBe(all.Count);
            foreach (var cursor in all)
                (await Ids(conversation, execution, cursor)).Where(id => id > cursor).ShouldBe(all.Where(id => id > cursor));
        }
    }

    static async Task<List<long>> Ids(Conversation conversation, string execution, long after)
    {
        var ids = new List<long>();
        await foreach (var streamed in conversation.Events(execution, after, Cancellation))
            ids.Add(streamed.Id);
        return ids;
    }

    static async Task<List<StreamedEvent>> Collect(Conversation conversation, string execution)
    {
        var seen = new List<StreamedEvent>();
        await foreach (var streamed in conversation.Events(execution, 0, Cancellation))
            seen.Add(streamed);
        seen.Select(e => e.Id).ShouldBe(seen.Select(e => e.Id).Distinct().Order());
        return seen;
    }

    /// <summary>The answer as the deltas tell it: a frame lost or stored twice shows here.</summary>
    static string Text(IEnumerable<StreamedEvent> events) => string.Concat(events.Select(e => Delta(e.Json))).Trim();

    static string Delta(JsonElement json) => json.TryGetProperty("type", out var type) ? type.GetString() switch
    {
        "item.agentMessage.delta" => json.GetProperty("delta").GetString()!,
        "content_block_delta" => json.GetProperty("delta").GetProperty("text").GetString()!,
        _ => "",
    } : "";
}
