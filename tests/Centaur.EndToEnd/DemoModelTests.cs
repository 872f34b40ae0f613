using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>A home in which no model key is set.</summary>
public sealed class WithoutModelKey : Installation
{
    protected override string Egress => "";

    protected override Task SetModelKey(CancellationToken cancellationToken) => Task.CompletedTask;
}

public sealed class DemoModelTests(WithoutModelKey installation) : IClassFixture<WithoutModelKey>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_that_the_demo_model_answers_goes_on_after_down_and_up()
    {
        var ask = installation.Cli(["ask", "--thread", "counting", "--harness", "built-in", "Count to 12, one every 0.5 seconds"], null, Cancellation);
        while (!ask.IsCompleted && !await IsInFlight())
            await Task.Delay(50, Cancellation);

        (await installation.Cli(["down"], null, Cancellation)).Succeeded();

        // Whoever asked waits, and brings everything up again.
        var answered = await ask;
        answered.ExitCode.ShouldBe(0, answered.Errors);
        answered.Output.ShouldContain("12");
    }

    async Task<bool> IsInFlight()
    {
        using var status = JsonDocument.Parse(await installation.Http.GetStringAsync("/agent/status?key=counting", Cancellation));
        return status.RootElement.TryGetProperty("inflight_turn_id", out _);
    }
}
