using Centaur.Protocol.Attach;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Harnesses;

/// <summary>Counts what keepers put aside of what harnesses wrote: a harness whose lines are quarantined works, and says less than it should.</summary>
internal sealed class QuarantinedLines
{
    public Counter Count { get; } = new(
        "centaur_harness_lines_quarantined_total", "Lines of harnesses that their keepers put aside, by why.", "reason", "line_too_long", "invalid_utf8", "not_json", "not_an_object", "not_text", "other");

    public void Look(Frame frame)
    {
        if (frame.Source == Frame.KeeperSource && frame.Event.Text("type") == KeeperEvents.LineQuarantined)
            Count.Add(frame.Event.Text("reason") ?? "other");
    }
}
