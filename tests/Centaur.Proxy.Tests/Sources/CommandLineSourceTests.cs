using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.OnePassword;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Sources;

public sealed class CommandLineSourceTests : IDisposable
{
    const string Place = "op://Production/Billing/login/token";

    readonly FakeOp op = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => op.Dispose();

    [Fact]
    public async Task A_field_is_read_with_the_token_in_the_environment_and_little_else()
    {
        op.Set("Production/Billing/login/token", "op-value-1");

        (await Source().Read(Place, Token)).Text().ShouldBe("op-value-1");

        op.Variables.ShouldBeSubsetOf(["HOME", "LC_ALL", "OP_CACHE", "OP_SERVICE_ACCOUNT_TOKEN", "PATH", "PWD", "SHLVL", "XDG_CONFIG_HOME", "_"]);
    }

    [Theory]
    [InlineData("op://Nowhere/Billing/token")]
    [InlineData("op://Production/Nothing/token")]
    [InlineData("op://Production/Billing/nothing")]
    [InlineData("op://Production/Billing/unauthorized/nothing")]
    [InlineData("op://Production/Billing")]
    [InlineData("op://Production/Billing/token?attribute=otp")]
    [InlineData("--help")]
    public async Task What_1Password_does_not_have_is_not_found(string reference)
    {
        op.Set("Production/Billing/token", "op-value-1");

        (await Source().Read(reference, Token)).Code.ShouldBe(BrokerFailures.NotFound);
    }

    [Theory]
    [InlineData("ops_another")]
    [InlineData("not-a-token")]
    public async Task A_token_that_1Password_refuses_is_the_broker_s_and_no_bad_key(string token)
    {
        op.Set("Production/Billing/login/token", "op-value-1");

        var answer = await Source(token).Read(Place, Token);

        answer.Code.ShouldBe(BrokerFailures.BrokerRefused);
        answer.Message.ShouldNotContain(token);
    }

    [Fact]
    public async Task Without_an_answer_of_1Password_or_without_the_program_it_is_unavailable()
    {
        op.Tell("down");

        (await Source().Read(Place, Token)).Code.ShouldBe(BrokerFailures.SourceUnavailable);
        var missing = await new CommandLineSource("/nowhere/op", "/usr/bin:/bin", SourceToken.OfVariable("T", FakeOp.Token)).Read(Place, Token);
        missing.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        missing.Message.ShouldContain("cannot be started");
    }

    [Fact]
    public async Task More_output_than_a_value_can_be_is_cut_off()
    {
        op.Tell("flood");

        (await Source().Read(Place, Token)).Message.ShouldContain("says more than a value can be");
    }

    [Fact]
    public async Task Who_is_cancelled_leaves_no_process_behind()
    {
        op.Tell("hang");
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var reading = Source().Read(Place, cancelled.Token);
        var child = await op.Child(Token);
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => reading);
        while (Lives(child))
            await Task.Delay(20, Token);
    }

    [Fact]
    public async Task One_that_takes_too_long_is_ended()
    {
        op.Tell("hang");

        var answer = await Source(patience: TimeSpan.FromMilliseconds(500)).Read(Place, Token);

        answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        answer.Message.ShouldContain("did not end within");
    }

    static bool Lives(int pid) => File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    CommandLineSource Source(string token = FakeOp.Token, TimeSpan? patience = null) =>
        new(op.Program, "/usr/local/bin:/usr/bin:/bin", SourceToken.OfVariable("OP_SERVICE_ACCOUNT_TOKEN", token), patience);
}
