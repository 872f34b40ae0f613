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
    public async Task Two_signals_at_once_stop_the_agent()
    {
        using var ask = await AskUntilAtWork();

        Interrupt(ask);
        Interrupt(ask);

        (await End(ask)).ShouldContain("Interrupted.");
        ask.ExitCode.ShouldBe(ExitCode.Interrupted);
        server.Cancels.CurrentCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_second_signal_does_not_come_before_the_answer_to_the_cancel()
    {
        server.CancelMayBeAnswered = new TaskCompletionSource();
        using var ask = await AskUntilAtWork();
        Interrupt(ask);
        await server.Cancels.WaitAsync(Token);

        Interrupt(ask);
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
        Interrupt(ask);

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

    static void Interrupt(Process process) => ProcessTable.Signal(ProcessMark.Of(process.Id)!, Native.SigInt).ShouldBeTrue();

    static async Task<string> End(Process ask)
    {
        var said = await ask.StandardError.ReadToEndAsync(Token);
        await ask.WaitForExitAsync(Token);
        return said;
    }
}
