using System.Text.Json;

namespace Centaur.Protocol.Attach;

/// <summary>
/// One line that a harness emitted, or one notice of its keeper, numbered and journaled before it is offered to anyone.
/// On the wire a frame is the only line of the attach socket without a <c>type</c>: <c>{"seq":41,"turn":"turn-9f…","event":{…}}</c>.
/// </summary>
public sealed record Frame
{
    /// <summary>Grows by one for the life of the sandbox; the first frame is 1.</summary>
    public required long Seq { get; init; }

    /// <summary>The turn that was running when the line came, or null between turns.</summary>
    public string? Turn { get; init; }

    /// <summary>Null for a line of the harness; <see cref="KeeperSource"/> for a notice that no harness can forge.</summary>
    public string? Source { get; init; }

    /// <summary>The harness's own JSON object, unchanged; or one of <see cref="KeeperEvents"/>.</summary>
    public required JsonElement Event { get; init; }

    /// <summary>The value of <see cref="Source"/> on frames that the keeper wrote itself.</summary>
    public const string KeeperSource = "keeper";
}

/// <summary>The <c>type</c> of events in frames whose <see cref="Frame.Source"/> is the keeper. Each carries a <c>message</c> for people.</summary>
public static class KeeperEvents
{
    /// <summary>The harness runs: <c>{type, harness, version, pid}</c>.</summary>
    public const string HarnessStarted = "keeper.harness_started";

    /// <summary>The harness ended: <c>{type, exit_code, signal, cause, message}</c>; cause is one of <see cref="ExitCauses"/>.</summary>
    public const string HarnessExited = "keeper.harness_exited";

    /// <summary>The jail itself ended: same members as <see cref="HarnessExited"/>.</summary>
    public const string JailExited = "keeper.jail_exited";

    /// <summary>The harness wrote something that is no JSON object, or a line beyond the cap: <c>{type, reason, bytes, head}</c>.</summary>
    public const string LineQuarantined = "keeper.line_quarantined";

    /// <summary>The journal stood at its cap for too long and output was cut: <c>{type, dropped_bytes, message}</c>.</summary>
    public const string OutputCut = "keeper.output_cut";

    /// <summary>The proxy ended and runs again: <c>{type, message}</c>. Requests in flight failed once.</summary>
    public const string ProxyRestarted = "keeper.proxy_restarted";

    /// <summary>The turn could not be given to the harness: <c>{type, message}</c>. Terminal for the turn.</summary>
    public const string TurnFailed = "keeper.turn_failed";
}

/// <summary>Why a harness or a jail ended, in the words that a translator maps to a sentence.</summary>
public static class ExitCauses
{
    public const string Exited = "exited";
    public const string OutOfMemory = "out_of_memory";
    public const string Killed = "killed";
    public const string Interrupted = "interrupted";
    public const string Stopped = "stopped";
    public const string StartFailed = "start_failed";
}
