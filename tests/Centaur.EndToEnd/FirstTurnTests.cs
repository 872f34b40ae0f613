using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

public sealed class FirstTurnTests(Installation installation) : IClassFixture<Installation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("codex")]
    [InlineData("built-in")]
    public async Task A_jailed_harness_answers_and_its_second_turn_reads_the_workspace_it_left(string harness)
    {
        var conversation = new Conversation(installation, harness);
        var nonce = Guid.CreateVersion7().ToString("N");

        var first = await conversation.Say("Reply with exactly PONG.", Cancellation);
        first.GetProperty("status").GetString().ShouldBe("completed", first.ToString());
        first.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
        first.GetProperty("metadata").GetProperty("harness").GetString().ShouldBe(harness);
        first.GetProperty("metadata").GetProperty("harness_version").GetString().ShouldNotBeNullOrEmpty();

        var written = await conversation.Say($"Run: printf %s {nonce} > nonce.txt", Cancellation);
        written.GetProperty("status").GetString().ShouldBe("completed", written.ToString());
        var before = installation.Model.Requests.Count;
        var read = await conversation.Say("Run: cat nonce.txt", Cancellation);

        read.GetProperty("result_text").GetString()!.ShouldContain(nonce);
        var toolResult = installation.Model.Requests.Skip(before).Select(r => r["body"]!.ToJsonString()).Where(body => body.Contains(nonce, StringComparison.Ordinal));
        toolResult.ShouldNotBeEmpty("the model server saw the nonce in a tool result");
        installation.Model.Requests.ShouldAllBe(r => r["credential"]!.GetValue<string>() == "ok");
    }
}
