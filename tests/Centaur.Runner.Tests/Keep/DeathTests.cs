using Centaur.Protocol.Attach;
using Centaur.Protocol.Sandbox;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep;

public sealed class DeathTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_keeper_takes_jail_and_proxy_with_it_and_its_journal_can_be_read()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Run("turn-1", "setsid sleep 1000 >/dev/null 2>&1 < /dev/null & echo done", Cancellation);
        var all = keeper.Below("");
        all.Count.ShouldBeGreaterThan(4);

        await keeper.KillKeeper(Cancellation);
        while (all.Any(pid => Directory.Exists($"/proc/{pid}")))
            await Task.Delay(5, Cancellation);

        await keeper.Keep(Cancellation, "--replay-only");
        await using var reader = await keeper.Connect(Cancellation);
        var attached = await reader.Attach(2, 0, Cancellation);
        attached.Phase.ShouldBe(KeeperPhases.Dead);
        await reader.Until(KeeperEvents.JailExited, Cancellation);
        reader.Frames.Take(worker.Frames.Count).Select(frame => frame.ToString()).ShouldBe(worker.Frames.Select(frame => frame.ToString()));
        reader.Frames.Count.ShouldBe(worker.Frames.Count + 1);
        await reader.Say(new UserTurn("turn-2", WorkerLink.Message("text", "true")), Cancellation);
        (await reader.Answer(Cancellation)).ShouldBeOfType<Refused>().Code.ShouldBe(RefusalCodes.JailGone);

        await reader.Say(new FrameAck(attached.LastSeq), Cancellation);
        await reader.DisposeAsync();
        await keeper.Ended(Cancellation);
    }

    [Fact]
    public async Task A_keeper_killed_before_its_first_frame_leaves_a_journal_that_says_so()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await keeper.KillKeeper(Cancellation);

        await keeper.Keep(Cancellation, "--replay-only");
        await using var reader = await keeper.Connect(Cancellation);

        (await reader.Attach(1, 0, Cancellation)).Phase.ShouldBe(KeeperPhases.Dead);
        (await reader.Until(KeeperEvents.JailExited, Cancellation)).Seq.ShouldBe(1);
    }

    [Fact]
    public async Task A_keeper_that_is_started_where_another_one_has_died_reads_its_journal_and_begins_nothing()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await keeper.KillKeeper(Cancellation);

        await keeper.Keep(Cancellation);
        await using var reader = await keeper.Connect(Cancellation);

        (await reader.Attach(1, 0, Cancellation)).Phase.ShouldBe(KeeperPhases.Dead);
        keeper.Below("init").ShouldBeEmpty();
    }

    [Fact]
    public async Task F6_a_second_keeper_leaves_the_sandbox_to_the_first_and_says_so_with_its_exit_code()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        var (exitCode, errors) = await keeper.KeepTwice(Cancellation);

        exitCode.ShouldBe(SandboxSpec.KeptByAnother, errors);
        errors.ShouldContain($"Another keeper has sandbox {keeper.Spec.SandboxId}.");
        (await worker.Run("turn-1", "echo still here", Cancellation)).ShouldBe("still here\n");
    }

    [Fact]
    public async Task F5_whoever_is_told_that_a_sandbox_is_dead_finds_in_its_journal_of_what()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using (await keeper.Claim(Cancellation))
            KeeperUnderTest.Kill(keeper.Below("init").Min());

        for (var generation = 2; ; generation++)
        {
            await using var link = await keeper.Connect(Cancellation);
            var attached = await link.Attach(generation, 0, Cancellation);
            if (attached.Phase != KeeperPhases.Dead)
                continue;
            (await link.Until(KeeperEvents.JailExited, Cancellation)).Seq.ShouldBe(attached.LastSeq);
            return;
        }
    }

    [Fact]
    public async Task Without_bubblewrap_there_is_no_sandbox_and_the_journal_says_which_package_is_missing()
    {
        await using var keeper = await KeeperUnderTest.StartWithout("/usr/bin/bwrap", Cancellation);
        await using var worker = await keeper.Connect(Cancellation);

        (await worker.Attach(1, 0, Cancellation)).Phase.ShouldBe(KeeperPhases.Dead);
        var end = await worker.Until(KeeperEvents.JailExited, Cancellation);

        end.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.StartFailed);
        end.Event.GetProperty("message").GetString()!.ShouldContain("Install the package bubblewrap");
    }

    [Fact]
    public async Task F5_F13_on_a_full_disk_there_is_no_sandbox_and_the_journal_says_within_ten_seconds_that_the_disk_is_full()
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        await using var keeper = await KeeperUnderTest.StartOnFullDisk(Cancellation);
        await using var worker = await keeper.Connect(Cancellation);

        (await worker.Attach(1, 0, Cancellation)).Phase.ShouldBe(KeeperPhases.Dead);
        var end = await worker.Until(KeeperEvents.JailExited, Cancellation);

        System.Diagnostics.Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        end.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.StartFailed);
        end.Event.GetProperty("message").GetString()!.ShouldStartWith("The sandbox could not be started: the machine's disk is full.");
    }

    [Fact]
    public async Task A_killed_proxy_is_started_again_with_its_authority_and_policy_and_the_jail_lives_on()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Connect(Cancellation);
        var authority = (await worker.Attach(1, 0, Cancellation)).CaCertificate;
        await worker.Claim(keeper.Spec.SandboxId, Cancellation);
        await worker.Run("turn-1", "sleep 1000 > /dev/null 2>&1 & echo $! > pid", Cancellation);

        KeeperUnderTest.Kill(keeper.Below("proxy.py").ShouldHaveSingleItem());
        await worker.Until(KeeperEvents.ProxyRestarted, Cancellation);

        (await worker.Run("turn-2", "kill -0 $(cat pid) && cat /etc/centaur/ca.pem", Cancellation)).ShouldBe(authority);
        File.ReadLines($"{keeper.Spec.StateFolder}/audit.ndjson").Count().ShouldBe(2);
    }

    [Fact]
    public async Task F31_a_harness_that_exits_without_a_result_ends_its_turn_and_says_how()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("text", "kill -TERM $PPID")), Cancellation);

        var exited = await worker.Until(KeeperEvents.HarnessExited, Cancellation);

        exited.Turn.ShouldBe("turn-1");
        exited.Event.GetProperty("signal").GetInt32().ShouldBe(15);
        exited.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.Killed);
    }

    [Fact]
    public async Task F48_memory_processes_disk_and_files_end_at_the_sandbox_and_memory_is_named_as_the_cause()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        (await worker.Run("turn-1", "dd if=/dev/zero of=big bs=1M count=100 2>&1; rm -f big", Cancellation)).ShouldContain("No space left");
        (await worker.Run("turn-2", "mkdir m; cd m; python3 -c 'for i in range(1000000): open(str(i), \"w\").close()' 2>&1 | tail -1; cd ..; rm -rf m", Cancellation)).ShouldContain("No space left");
        (await worker.Run("turn-3", "python3 /opt/probes/bomb.py", Cancellation)).ShouldContain("Resource temporarily unavailable");
        await worker.Say(new UserTurn("turn-4", WorkerLink.Message("text", "exec 2>/dev/null; echo 1000 > /proc/$PPID/oom_score_adj; python3 -c 'x = b\"x\" * (1 << 30)'; echo survived")), Cancellation);
        var exited = await worker.Until(KeeperEvents.HarnessExited, Cancellation);

        exited.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.OutOfMemory);
        (await worker.Run("turn-5", "echo still here", Cancellation)).ShouldBe("still here\n");
    }
}
