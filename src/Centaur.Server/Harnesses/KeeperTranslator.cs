using System.Text.Json;
using Centaur.Protocol.Attach;

namespace Centaur.Server.Harnesses;

/// <summary>The keeper's own notices, the same for every harness.</summary>
internal static class KeeperTranslator
{
    public static Translation Translate(JsonElement notice, TurnState state)
    {
        var message = notice.Text("message") ?? "The sandbox reported an event without a text.";
        return notice.Text("type") switch
        {
            KeeperEvents.HarnessExited or KeeperEvents.JailExited =>
                new Translation(state.End(succeeded: false, message, notice.Text("cause") ?? ExitCauses.Exited), Canonical.Error(message)),
            KeeperEvents.TurnFailed => new Translation(state.End(succeeded: false, message), Canonical.Error(message)),
            KeeperEvents.OutputCut or KeeperEvents.ProxyRestarted => new Translation(state, Canonical.Status(message)),
            _ => new Translation(state),
        };
    }
}
