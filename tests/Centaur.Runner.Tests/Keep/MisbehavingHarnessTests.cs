using System.Globalization;
using System.Text.Json;
using Centaur.Protocol.Attach;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep;

/// <summary>Harnesses that do what none should: with their lines, with their end, with their processes.</summary>
public sealed class MisbehavingHarnessTests
{
    const long MiB = 1024 * 1024;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F30_a_line_that_comes_in_parts_is_one_and_one_that_never_ends_is_none()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await Begin(worker, "turn-1", "raw", "{\"type\":\"par");
        await Steer(worker, "turn-1", "raw", "tial\"}\n");
        (await worker.Until("partial", Cancellation)).Turn.ShouldBe("turn-1");

        await Steer(worker, "turn-1", "raw", "{\"type\":\"half");
        await Steer(worker, "turn-1", "python", "os.kill(os.getpid(), signal.SIGKILL)");
        await worker.Until(KeeperEvents.HarnessExited, Cancellation);

        Types(worker).ShouldBe([KeeperEvents.HarnessStarted, "partial", KeeperEvents.HarnessExited]);
    }

    [Fact]
    public async Task F30_a_line_of_100_MB_is_put_aside_in_bounded_memory_and_the_next_one_arrives()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Run("turn-1", "true", Cancellation);
        var before = PeakBytes(keeper.Pid);

        await Begin(worker, "turn-2", "python", "[sys.stdout.buffer.write(b'x' * 1000000) for _ in range(100)]; sys.stdout.buffer.write(b'\\n{\"type\":\"result\"}\\n'); sys.stdout.flush()");
        var aside = await worker.Until(KeeperEvents.LineQuarantined, Cancellation);
        await worker.Until("result", Cancellation);

        aside.Event.GetProperty("bytes").GetInt64().ShouldBe(100_000_000);
        aside.Event.GetProperty("reason").GetString().ShouldBe("line_too_long");
        (PeakBytes(keeper.Pid) - before).ShouldBeLessThan(90 * MiB, "the line is not held");
    }

    [Fact]
    public async Task F30_what_a_harness_writes_to_its_standard_error_between_the_pieces_of_a_line_stays_out_of_the_line()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        await Begin(worker, "turn-1", "python", "for piece in ['{\"type\":', '\"whole\"}\\n{\"type\":\"res', 'ult\"}\\n']: sys.stdout.write(piece); sys.stdout.flush(); sys.stderr.write('{\"type\":\"noise\"}\\n'); sys.stderr.flush()");
        await worker.Until("result", Cancellation);

        Types(worker).ShouldBe([KeeperEvents.HarnessStarted, "whole", "result"]);
    }

    [Fact]
    public async Task F30_half_a_surrogate_pair_where_the_type_should_be_is_put_aside_and_the_harness_is_heard_on()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        await Begin(worker, "turn-1", "raw", "{\"type\":\"\\ud800\"}\n{\"type\":\"result\"}\n");
        while (!worker.Frames.Exists(frame => frame.Event.GetRawText().Contains("result", StringComparison.Ordinal)))
            await worker.Next(Cancellation);

        worker.Frames.ShouldContain(frame => frame.Source == Frame.KeeperSource && frame.Event.GetRawText().Contains("not_text", StringComparison.Ordinal));
        (await worker.Run("turn-2", "echo again", Cancellation)).ShouldBe("again\n");
    }

    [Fact]
    public async Task F31_a_harness_that_exits_with_0_and_no_result_ends_its_turn_and_says_so()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await Begin(worker, "turn-1", "python", "sys.exit(0)");

        var exited = await worker.Until(KeeperEvents.HarnessExited, Cancellation);

        exited.Turn.ShouldBe("turn-1");
        exited.Event.GetProperty("exit_code").GetInt32().ShouldBe(0);
        exited.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.Exited);
        (await worker.Run("turn-2", "echo again", Cancellation)).ShouldBe("again\n");
    }

    [Fact]
    public async Task F31_a_harness_that_never_ends_and_ignores_every_signal_is_killed_with_the_daemon_that_it_forked()
    {
        const string Daemon =
            """
            signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
                if os.fork() != 0: os._exit(0)
                os.close(0); os.close(1); os.close(2)
                os.execv("/usr/bin/sleep", ["sleep", "7531"])
            while True: signal.pause()
            """;
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await Begin(worker, "turn-1", "python", Daemon);
        while (keeper.Below("7531").Count == 0)
            await Task.Delay(10, Cancellation);

        await worker.Say(new InterruptTurn("turn-1", GraceMs: 50), Cancellation);
        (await worker.Until(KeeperEvents.HarnessExited, Cancellation)).Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.Interrupted);

        while (keeper.Below("7531").Count > 0)
            await Task.Delay(10, Cancellation);
        (await worker.Run("turn-2", "echo again", Cancellation)).ShouldBe("again\n");
    }

    [Fact]
    public async Task F31_a_harness_that_writes_a_gigabyte_as_fast_as_it_can_fills_neither_memory_nor_disk_and_is_cut_with_a_notice()
    {
        const long Cap = 1 * MiB;
        await using var keeper = await KeeperUnderTest.Start(
            Cancellation, spec => spec with { Limits = spec.Limits with { JournalBytes = Cap, JournalFullSeconds = 1 } });
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Run("turn-1", "true", Cancellation);
        var before = PeakBytes(keeper.Pid);

        await Begin(worker, "turn-2", "python", "line = b'{\"type\":\"flood\",\"x\":\"' + b'x' * 1000000 + b'\"}\\n'; [sys.stdout.buffer.write(line) for _ in range(1000)]; sys.stdout.buffer.write(b'{\"type\":\"result\"}\\n'); sys.stdout.flush()");
        var cut = await worker.Until(KeeperEvents.OutputCut, Cancellation);
        (await worker.Until(KeeperEvents.TurnFailed, Cancellation)).Turn.ShouldBe("turn-2");

        cut.Event.GetProperty("dropped_bytes").GetInt64().ShouldBeGreaterThan(900_000_000);
        (PeakBytes(keeper.Pid) - before).ShouldBeLessThan(100 * MiB);
        Directory.GetFiles($"{keeper.Spec.StateFolder}/journal").Sum(file => new FileInfo(file).Length).ShouldBeLessThan(Cap + 3 * MiB);
    }

    [Fact]
    public async Task F32_a_line_that_imitates_the_keeper_or_its_messages_is_an_event_of_the_harness_and_nothing_else()
    {
        string[] claims =
        [
            """{"type":"attached","sandbox_id":"other","generation":99,"last_seq":0,"phase":"dead","policy_version":9,"ca_certificate":""}""",
            """{"type":"refused","code":"jail_gone","message":"forged"}""",
            """{"type":"accepted","turn":"turn-2","repeated":true}""",
            """{"seq":1,"turn":"turn-9","source":"keeper","event":{"type":"keeper.jail_exited","cause":"killed","message":"forged"}}""",
            """{"type":"keeper.jail_exited","source":"keeper","cause":"killed","message":"forged"}""",
            """{"type":"stop","reason":"forged"}""",
        ];
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        await Begin(worker, "turn-1", "raw", string.Concat(claims.Select(claim => claim + "\n")) + "{\"type\":\"result\"}\n");
        while (worker.Frames.Count < claims.Length + 2)
            await worker.Next(Cancellation);

        var said = worker.Frames.Where(frame => frame.Source is null).ToList();
        said.Take(claims.Length).Select(frame => frame.Event.GetRawText()).ShouldBe(claims);
        said.ShouldAllBe(frame => frame.Turn == "turn-1");
        worker.Frames.Select(frame => frame.Seq).ShouldBe(Enumerable.Range(1, worker.Frames.Count).Select(seq => (long)seq));
        (await worker.Run("turn-2", "echo alive", Cancellation)).ShouldBe("alive\n");
    }

    [Fact]
    public async Task F5_a_harness_that_is_not_there_refuses_the_turn_by_name_and_the_sandbox_lives_on()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Say(new ClaimRequest(new Protocol.Sandbox.SandboxIdentity("thread:1", "trace-1", "token-1"), WorkerLink.Launch with { Program = "/opt/probes/nowhere" }), Cancellation);
        await worker.Answer(Cancellation);

        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("text", "true")), Cancellation);
        var refused = (await worker.Answer(Cancellation)).ShouldBeOfType<Refused>();

        refused.Code.ShouldBe(RefusalCodes.HarnessFailed);
        refused.Message.ShouldContain("/opt/probes/nowhere");
        await worker.Say(new ClaimRequest(new Protocol.Sandbox.SandboxIdentity("thread:1", "trace-1", "token-1"), WorkerLink.Launch), Cancellation);
        await worker.Answer(Cancellation);
        (await worker.Run("turn-2", "echo alive", Cancellation)).ShouldBe("alive\n");
    }

    static async Task Begin(WorkerLink worker, string turn, string kind, string text)
    {
        await worker.Say(new UserTurn(turn, WorkerLink.Message(kind, text)), Cancellation);
        (await worker.Answer(Cancellation)).ShouldBe(new TurnAccepted(turn, Repeated: false));
    }

    static async Task Steer(WorkerLink worker, string turn, string kind, string text)
    {
        await worker.Say(new SteerTurn(turn, WorkerLink.Message(kind, text)) { Id = Guid.CreateVersion7().ToString() }, Cancellation);
        (await worker.Answer(Cancellation)).ShouldBeOfType<TurnAccepted>();
    }

    static IEnumerable<string?> Types(WorkerLink worker) => worker.Frames.Select(frame => frame.Event.GetProperty("type").GetString());

    static long PeakBytes(int pid) =>
        long.Parse(File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
}
