using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Executions.Observations;

/// <summary>The two events that frame an execution (contract §2.3): how it began, and what it came to.</summary>
internal static class ExecutionTold
{
    public static NewEvent Started(ExecutionFacts facts, string turnId) => new(
        EventKinds.ExecutionStarted,
        facts.Origin.Of("obs.execution_started", new JsonObject
        {
            ["turn_id"] = turnId,
            ["runtime_id"] = facts.RuntimeId,
            ["queue_delay_s"] = facts.QueueDelay,
            ["delivery_platform"] = facts.Platform,
            ["execution_sequence"] = facts.Sequence,
            ["user_id"] = facts.UserId,
        }));

    public static NewEvent Summary(ExecutionFacts facts, TurnState turn, TerminalState terminal)
    {
        var tally = turn.Tally ?? new TurnTally();
        var own = new JsonObject
        {
            ["status"] = terminal.Status,
            ["terminal_reason"] = terminal.Reason,
            ["duration_s"] = facts.Duration,
            ["queue_delay_s"] = facts.QueueDelay,
            ["ttft_ms"] = tally.FirstTextMs,
            ["models"] = new JsonArray([.. tally.Models.Select(model => (JsonNode)model)]),
            ["assistant_tool_use_events"] = tally.ToolUses,
            ["tool_result_events"] = tally.ToolResults,
            ["command_execution_events"] = tally.Commands,
            ["error_events"] = tally.Errors,
            ["total_tokens"] = turn.Usage is { } used ? used.InputTokens + used.OutputTokens : null,
            ["cost_usd"] = tally.CostUsd,
            ["tool_calls_by_name"] = new JsonObject(tally.ToolCalls.OrderBy(call => call.Key, StringComparer.Ordinal).Select(call => KeyValuePair.Create(call.Key, (JsonNode?)call.Value))),
            ["raw_event_count"] = tally.RawEvents,
            ["result_chars"] = terminal.ResultText?.Length ?? 0,
        };
        if (turn.Usage is { } usage)
            own["usage"] = new JsonObject { ["input_tokens"] = usage.InputTokens, ["output_tokens"] = usage.OutputTokens, ["cached_input_tokens"] = usage.CachedInputTokens };
        return new NewEvent(EventKinds.ExecutionSummary, facts.Origin.Of("execution.summary", own));
    }
}
