using Centaur.Protocol.Attach;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep;

public sealed class HarnessOutputTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F30_bad_lines_are_put_aside_and_good_ones_around_them_arrive()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation, spec => spec with { Limits = spec.Limits with { FrameBytes = 1000 } });
        await using var worker = await keeper.Claim(Cancellation);
        var lines = "{\"type\":\"a\"}\nnot json\n[1]\n{\"type\":\"\xff\"}\n{\"type\":\"\0\"}\n\n"
            + $"{{\"type\":\"{new string('x', 2000)}\"}}\n{string.Concat(Enumerable.Repeat("{\"a\":", 70))}1{new string('}', 70)}\n"
            + "{\"type\":\"b\"}\n{\"type\":\"result\"}\n{\"type\":\"result\"}\n{\"type\":\"late\"}\n";

        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("raw", lines)), Cancellation);
        var late = await worker.Until("late", Cancellation);

        late.Turn.ShouldBeNull();
        var types = worker.Frames.Select(frame => frame.Event.GetProperty("type").GetString());
        types.ShouldBe([KeeperEvents.HarnessStarted, "a", .. Enumerable.Repeat(KeeperEvents.LineQuarantined, 6), "b", "result", "result", "late"]);
        worker.Frames.Where(frame => frame.Event.GetProperty("type").ValueEquals(KeeperEvents.LineQuarantined)).Select(frame => frame.Event.GetProperty("reason").GetString())
            .ShouldBe(["not_json", "not_an_object", "invalid_utf8", "not_json", "line_too_long", "not_json"]);
    }

    [Fact]
    public async Task F31_a_flood_that_nobody_stores_stops_at_the_cap_and_is_cut_with_a_notice_in_the_end()
    {
        const long Cap = 256 * 1024;
        await using var keeper = await KeeperUnderTest.Start(
            Cancellation, spec => spec with { Limits = spec.Limits with { JournalBytes = Cap, JournalFullSeconds = 1 } });
        await using var worker = await keeper.Claim(Cancellation);
        var line = $"{{\"type\":\"flood\",\"x\":\"{new string('x', 4000)}\"}}\n";

        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("raw", string.Concat(Enumerable.Repeat(line, 1000)) + "{\"type\":\"result\"}\n")), Cancellation);
        var cut = await worker.Until(KeeperEvents.OutputCut, Cancellation);
        var failed = await worker.Until(KeeperEvents.TurnFailed, Cancellation);

        cut.Event.GetProperty("dropped_bytes").GetInt64().ShouldBeGreaterThan(3_000_000);
        failed.Turn.ShouldBe("turn-1");
        Directory.GetFiles($"{keeper.Spec.StateFolder}/journal").Sum(file => new FileInfo(file).Length).ShouldBeLessThan(Cap + 16 * 1024);
        await worker.Say(new FrameAck(failed.Seq), Cancellation);
        (await worker.Run("turn-2", "echo again", Cancellation)).ShouldBe("again\n");
    }

    [Fact]
    public async Task F31_a_flood_that_is_stored_as_it_comes_loses_nothing()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation, spec => spec with { Limits = spec.Limits with { JournalBytes = 128 * 1024 } });
        await using var worker = await keeper.Claim(Cancellation);
        var lines = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{{\"type\":\"flood\",\"i\":{i},\"x\":\"{new string('x', 200)}\"}}\n"));
        await worker.Say(new UserTurn("turn-1", WorkerLink.Message("raw", lines + "{\"type\":\"result\"}\n")), Cancellation);

        for (var seen = 0; !worker.Frames.Exists(frame => frame.Event.GetProperty("type").ValueEquals("result")); seen = worker.Frames.Count)
        {
            await worker.Until(seen < 5000 ? "flood" : "result", Cancellation);
            await worker.Say(new FrameAck(worker.Frames[^1].Seq), Cancellation);
        }

        worker.Frames.Where(frame => frame.Event.GetProperty("type").ValueEquals("flood")).Select(frame => frame.Event.GetProperty("i").GetInt32()).ShouldBe(Enumerable.Range(0, 5000));
    }
}
