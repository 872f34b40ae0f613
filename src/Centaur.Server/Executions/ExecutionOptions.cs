using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Executions;

/// <summary>How executions run here (wire contract §2.1).</summary>
public sealed record ExecutionOptions
{
    /// <summary>How many executions this server runs at once; 0 is a server that answers and runs nothing.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>So many of these are kept for people: executions of workflows never take them all (wire contract §2.1).</summary>
    public int ReservedUserSlots { get; init; } = 2;

    /// <summary>How many executions of workflows this server runs at once: one at least, lest a workflow waits for ever.</summary>
    public int WorkflowSlots => Math.Max(Concurrency - ReservedUserSlots, 1);

    /// <summary>A turn that says nothing for so long has failed.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>The same while a tool runs.</summary>
    public TimeSpan ToolSilence { get; init; } = TimeSpan.FromSeconds(1800);

    /// <summary>No turn takes longer.</summary>
    public TimeSpan Hard { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>How often the queue and the state of a running execution are looked at where no wake-up comes.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often leases of other workers are looked at.</summary>
    public TimeSpan Reap { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Token deltas are merged for so long before they are stored.</summary>
    public TimeSpan DeltaPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>… or until they are so many characters.</summary>
    public int DeltaCharacters { get; init; } = 2_048;

    /// <summary>How often in a row a worker attaches again to a keeper whose stream breaks, before it gives the execution back (wire contract §4).</summary>
    public int ReattachMost { get; init; } = 6;

    /// <summary>… and how long it waits before each.</summary>
    public TimeSpan ReattachPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an execution that was given back waits before a worker may claim it again.</summary>
    public TimeSpan StreamRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a turn may be given to a harness: once, and again where its sandbox died under it.</summary>
    public int MaxAttempts { get; init; } = 2;

    /// <summary>How long a harness may take to end a turn that is cancelled before its processes are killed.</summary>
    public TimeSpan InterruptGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>So many failures within the window refuse further executions on the thread (wire contract §1.4).</summary>
    public int FailureLoopThreshold { get; init; } = 3;

    public TimeSpan FailureLoopWindow { get; init; } = TimeSpan.FromSeconds(300);

    public static ExecutionOptions Read(Settings settings)
    {
        var section = settings.Root.Section("worker");
        var standard = new ExecutionOptions();
        const int Day = 86_400;
        return standard with
        {
            Concurrency = section.Number("concurrency", standard.Concurrency, 0, 1000, "EXECUTION_WORKER_CONCURRENCY"),
            ReservedUserSlots = section.Number("reserved_user_slots", standard.ReservedUserSlots, 0, 1000, "EXECUTION_RESERVED_USER_SLOTS"),
            ReattachMost = section.Number("reattach_most", standard.ReattachMost, 0, 1000, "STREAM_EOF_REATTACH_MAX"),
            ReattachPause = Pause("reattach_pause_seconds", standard.ReattachPause, "STREAM_EOF_REATTACH_BACKOFF_S"),
            StreamRetry = Pause("stream_retry_seconds", standard.StreamRetry, "EXECUTION_STREAM_EOF_RETRY_DELAY_S"),
            Silence = Seconds("silence_seconds", standard.Silence, Day, "EXECUTION_SILENCE_TIMEOUT_S"),
            ToolSilence = Seconds("tool_silence_seconds", standard.ToolSilence, Day, "EXECUTION_TOOL_SILENCE_TIMEOUT_S"),
            Hard = Seconds("hard_seconds", standard.Hard, 7 * Day, "EXECUTION_HARD_TIMEOUT_S"),
            FailureLoopThreshold = section.Number("failure_loop_threshold", standard.FailureLoopThreshold, 1, 1000, "THREAD_FAILURE_LOOP_THRESHOLD"),
            FailureLoopWindow = Seconds("failure_loop_window_seconds", standard.FailureLoopWindow, Day, "THREAD_FAILURE_LOOP_WINDOW_S"),
        };

        TimeSpan Seconds(string key, TimeSpan fallback, int most, string variable) =>
            TimeSpan.FromSeconds(section.Decimal(key, fallback.TotalSeconds, 1, most, variable));

        TimeSpan Pause(string key, TimeSpan fallback, string variable) =>
            TimeSpan.FromSeconds(section.Decimal(key, fallback.TotalSeconds, 0.05, 600, variable));
    }
}
