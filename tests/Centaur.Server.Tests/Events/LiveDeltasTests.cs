using Centaur.Server.Events;

namespace Centaur.Server.Tests.Events;

public sealed class LiveDeltasTests
{
    [Fact]
    public void A_reader_that_is_slow_holds_a_few_deltas_and_misses_the_older_ones()
    {
        var deltas = new LiveDeltas();
        using var slow = deltas.Subscribe("t", null);

        for (var n = 0; n < 100_000; n++)
            deltas.Publish("t", "exe_1", "amp_raw_event", $"{n}");

        var held = new List<string>();
        while (slow.Deltas.Reader.TryRead(out var delta))
            held.Add(delta.Json);
        held.Count.ShouldBe(LiveDeltas.Waiting);
        held[^1].ShouldBe("99999");
    }
}
