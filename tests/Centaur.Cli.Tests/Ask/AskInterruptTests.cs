using System.Diagnostics;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Ask;

/// <summary>Ctrl-C as the kernel sends it, to the command line as a process of its own.</summary>
public sealed class AskInterruptTests : IAsyncLifetime
{
    StandInServer server = null!;
    TemporaryHome home = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await StandInServer.Start();
        server.Events.Add(("execution_state", """{"status":"running"}"""));
        home = new TemporaryHome(server.Variables);
    }

    public async ValueTask DisposeAsync()
    {
        await home.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Signals_that_come_together_stop_the_agent()
    {
        using var ask = await AskUntilAtWork();

        // The kernel makes one of two that come before the first was taken.
        var isCancelled = false;
        while (!isCancelled && Interrupt(ask))
            isCancelled = await server.Cancels.WaitAsync(TimeSpan.FromMilliseconds(2), Token);

        isCancelled.ShouldBeTrue();
        (await End(ask)).ShouldContain("Interrupted.");
        ask.ExitCode.ShouldBe(ExitCode.Interrupted);
    }

    [Fact]
    public async Task A_second_signal_does_not_come_before_the_answer_to_the_cancel()
    {
        server.CancelMayBeAnswered = new TaskCompletionSource();
        using var ask = await AskUntilAtWork();
        Interrupt(ask).ShouldBeTrue();
        await server.Cancels.WaitAsync(Token);

        Interrupt(ask).ShouldBeTrue();
        server.CancelMayBeAnswered.SetResult();

        (await End(ask)).ShouldContain("Interrupted.");
        ask.ExitCode.ShouldBe(ExitCode.Interrupted);
    }

    [Fact]
    public async Task An_interrupted_question_that_the_server_is_taking_is_cancelled_when_it_is_taken()
    {
        server.ExecuteMayBeAnswered = new TaskCompletionSource();
        using var ask = Start();
        await server.Executing.WaitAsync(Token);
        Interrupt(ask).ShouldBeTrue();

        server.ExecuteMayBeAnswered.SetResult();

        await End(ask);
        ask.ExitCode.ShouldBe(ExitCode.Interrupted);
        server.Cancels.CurrentCount.ShouldBe(1);
    }

    async Task<Process> AskUntilAtWork()
    {
        var ask = Start();
        while (await ask.StandardError.ReadLineAsync(Token) is { } line && !line.StartsWith("The agent is at work", StringComparison.Ordinal))
        {
        }

        return ask;
    }

    Process Start()
    {
        var start = new ProcessCommand(Path.Combine(AppContext.BaseDirectory, "centaur-cli"), "ask", "hello") { Environment = home.Context.Variables }.ToStartInfo();
        (start.RedirectStandardError, start.RedirectStandardOutput) = (true, true);
        return Process.Start(start)!;
    }

    /// <returns>False where it has ended.</returns>
    static bool Interrupt(Process process) => ProcessMark.Of(process.Id) is { } mark && ProcessTable.Signal(mark, Native.SigInt);

    static async Task<string> End(Process ask)
    {
        var said = await ask.StandardError.ReadToEndAsync(Token);
        await ask.WaitForExitAsync(Token);
        return said;
    }
}
