using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Executions;

/// <summary>How executions are claimed, watched and given up. Names of variables are the contract's (§2.1).</summary>
public sealed record ExecutionOptions
{
    /// <summary>Executions that one server runs at a time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>How long a worker's lease lasts without renewal.</summary>
    public required TimeSpan Lease { get; init; }

    public required TimeSpan Renew { get; init; }

    /// <summary>No frame for so long: the execution fails.</summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>The same while a tool call is outstanding.</summary>
    public required TimeSpan ToolSilence { get; init; }

    /// <summary>An execution never takes longer.</summary>
    public required TimeSpan Hard { get; init; }

    /// <summary>So many failures within the window refuse further executions on the thread.</summary>
    public required int FailureLoopThreshold { get; init; }

    public required TimeSpan FailureLoopWindow { get; init; }

    public static ExecutionOptions Read(Settings settings)
    {
        var section = settings.Root.Section("worker");
        const int Day = 86_400;
        var options = new ExecutionOptions
        {
            Concurrency = section.Number("concurrency", 4, 1, 1000, "EXECUTION_WORKER_CONCURRENCY"),
            Lease = TimeSpan.FromSeconds(section.Decimal("lease_seconds", 15, 1, 600, "EXECUTION_WORKER_LEASE_S")),
            Renew = TimeSpan.FromSeconds(section.Decimal("renew_seconds", 5, 0.1, 200)),
            Silence = TimeSpan.FromSeconds(section.Decimal("silence_seconds", 600, 1, Day, "EXECUTION_SILENCE_TIMEOUT_S")),
            ToolSilence = TimeSpan.FromSeconds(section.Decimal("tool_silence_seconds", 1800, 1, Day, "EXECUTION_TOOL_SILENCE_TIMEOUT_S")),
            Hard = TimeSpan.FromSeconds(section.Decimal("hard_seconds", 3600, 1, 7 * Day, "EXECUTION_HARD_TIMEOUT_S")),
            FailureLoopThreshold = section.Number("failure_loop_threshold", 3, 1, 1000, "THREAD_FAILURE_LOOP_THRESHOLD"),
            FailureLoopWindow = TimeSpan.FromSeconds(section.Decimal("failure_loop_window_seconds", 300, 1, Day, "THREAD_FAILURE_LOOP_WINDOW_S")),
        };
        if (options.Renew * 2 > options.Lease)
            section.Report("renew_seconds", "must be at most half of worker.lease_seconds, so that one late renewal loses nothing");
        return options;
    }
}
