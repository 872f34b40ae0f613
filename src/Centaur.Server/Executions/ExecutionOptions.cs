using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Executions;

/// <summary>How executions are claimed, watched and given up. Names of variables are the contract's (§2.1).</summary>
public sealed record ExecutionOptions
{
    /// <summary>Executions that one server runs at a time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>No frame for so long: the execution fails.</summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>The same while a tool call is outstanding.</summary>
    public required TimeSpan ToolSilence { get; init; }

    /// <summary>An execution never takes longer.</summary>
    public required TimeSpan Hard { get; init; }

    /// <summary>So many failures within the window refuse further executions on the thread.</summary>
    public required int FailureLoopThreshold { get; init; }

    public required TimeSpan FailureLoopWindow { get; init; }

    /// <summary>How often the queue and the state of a running execution are looked at where no wake-up comes.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Token deltas are merged for so long before they are stored.</summary>
    public TimeSpan DeltaPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>… or until they are so many characters.</summary>
    public int DeltaCharacters { get; init; } = 2_048;

    /// <summary>How often a turn may be given to a harness: once, and again where its sandbox died under it.</summary>
    public int MaxAttempts { get; init; } = 2;

    /// <summary>How long a harness may take to end a turn that is cancelled before its processes are killed.</summary>
    public TimeSpan InterruptGrace { get; init; } = TimeSpan.FromSeconds(2);

    public static ExecutionOptions Read(Settings settings)
    {
        var section = settings.Root.Section("worker");
        const int Day = 86_400;
        return new ExecutionOptions
        {
            Concurrency = section.Number("concurrency", 4, 1, 1000, "EXECUTION_WORKER_CONCURRENCY"),
            Silence = TimeSpan.FromSeconds(section.Decimal("silence_seconds", 600, 1, Day, "EXECUTION_SILENCE_TIMEOUT_S")),
            ToolSilence = TimeSpan.FromSeconds(section.Decimal("tool_silence_seconds", 1800, 1, Day, "EXECUTION_TOOL_SILENCE_TIMEOUT_S")),
            Hard = TimeSpan.FromSeconds(section.Decimal("hard_seconds", 3600, 1, 7 * Day, "EXECUTION_HARD_TIMEOUT_S")),
            FailureLoopThreshold = section.Number("failure_loop_threshold", 3, 1, 1000, "THREAD_FAILURE_LOOP_THRESHOLD"),
            FailureLoopWindow = TimeSpan.FromSeconds(section.Decimal("failure_loop_window_seconds", 300, 1, Day, "THREAD_FAILURE_LOOP_WINDOW_S")),
        };
    }
}
