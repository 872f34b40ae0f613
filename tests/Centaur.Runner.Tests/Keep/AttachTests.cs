using Centaur.Protocol.Attach;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep;

public sealed class AttachTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Frames_come_again_after_any_number_and_the_same_turn_is_delivered_once()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        var first = await keeper.Claim(Cancellation);
        (await first.Run("turn-1", "echo one >> ran; cat ran", Cancellation)).ShouldBe("one\n");
        var all = first.Frames.Select(frame => frame.Seq).ToList();
        all.ShouldBe(Enumerable.Range(1, all.Count).Select(seq => (long)seq));
        await first.DisposeAsync();

        for (var after = 0; after <= all.Count; after++)
        {
            await using var again = await keeper.Attach(1, after, Cancellation);
            await again.Say(new UserTurn("turn-1", WorkerLink.Message("text", "echo two >> ran")), Cancellation);
            (await again.Answer(Cancellation)).ShouldBe(new TurnAccepted("turn-1", Repeated: true));
            while (again.Frames.Count < all.Count - after)
                await again.Until("result", Cancellation);
            again.Frames.Select(frame => frame.Seq).ShouldBe(all.Skip(after));
        }

        await using var last = await keeper.Attach(1, all.Count, Cancellation);
        (await last.Run("turn-2", "cat ran", Cancellation)).ShouldBe("one\n");
    }

    [Fact]
    public async Task A_newer_generation_closes_the_older_attachment_and_an_older_one_is_refused()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var old = await keeper.Attach(5, 0, Cancellation);
        await using var young = await keeper.Attach(6, 0, Cancellation);
        await old.UntilClosed(Cancellation);

        await using var stale = await keeper.Connect(Cancellation);
        await stale.Say(new AttachRequest(5, 0), Cancellation);
        (await stale.Answer(Cancellation)).ShouldBeOfType<Refused>().Code.ShouldBe(RefusalCodes.GenerationStale);

        await young.Claim(keeper.Spec.SandboxId, Cancellation);
        (await young.Run("turn-1", "echo $CENTAUR_THREAD_KEY; cat ~/.api_key; stat -c %a ~/.api_key", Cancellation)).ShouldBe("thread:1\ntoken-1600\n");
    }

    [Fact]
    public async Task What_comes_out_of_order_is_refused_by_name()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var unattached = await keeper.Connect(Cancellation);
        await unattached.Say(new FrameAck(1), Cancellation);
        (await unattached.Answer(Cancellation)).ShouldBeOfType<Refused>().Code.ShouldBe(RefusalCodes.NotAttached);

        await using var worker = await keeper.Attach(1, 0, Cancellation);
        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("text", "true")), Cancellation);
        (await worker.Answer(Cancellation)).ShouldBeOfType<Refused>().Code.ShouldBe(RefusalCodes.NotClaimed);
        await worker.Claim(keeper.Spec.SandboxId, Cancellation);
        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("text", "sleep 1000")), Cancellation);
        (await worker.Answer(Cancellation)).ShouldBeOfType<TurnAccepted>();
        await worker.Say(new UserTurn("turn-2", WorkerLink.Message("text", "true")), Cancellation);
        (await worker.Answer(Cancellation)).ShouldBeOfType<Refused>().Code.ShouldBe(RefusalCodes.TurnRunning);
    }

    [Fact]
    public async Task F31_a_harness_that_ignores_its_interrupt_is_killed_with_its_children_and_the_next_turn_has_a_new_one()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);
        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("text", "setsid sleep 4321 & trap '' INT TERM; sleep 4321")), Cancellation);
        await worker.Answer(Cancellation);

        await worker.Say(new InterruptTurn("turn-1", GraceMs: 50), Cancellation);
        var exited = await worker.Until(KeeperEvents.HarnessExited, Cancellation);

        exited.Turn.ShouldBe("turn-1");
        exited.Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.Interrupted);
        (await worker.Run("turn-2", "timeout 5 sh -c 'while pidof sleep; do :; done >/dev/null'; echo $?", Cancellation)).ShouldBe("0\n");
    }

    [Fact]
    public async Task A_sandbox_that_is_stopped_says_so_and_leaves_nothing()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        await worker.Say(new StopSandbox("the test is over"), Cancellation);
        (await worker.Until(KeeperEvents.JailExited, Cancellation)).Event.GetProperty("cause").GetString().ShouldBe(ExitCauses.Stopped);
        await keeper.Ended(Cancellation);

        Directory.Exists(keeper.Spec.RuntimeFolder).ShouldBeFalse();
        (await File.ReadAllTextAsync("/proc/self/mountinfo", Cancellation)).ShouldNotContain(keeper.Spec.HomeFolder);
        Directory.Exists($"/sys/fs/cgroup/memory/centaur/{keeper.Spec.SandboxId}").ShouldBeFalse();
    }
}
