using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Server.Harnesses;

/// <summary>Codex's app-server notifications, as the runner's driver names them: <c>item/completed</c> is <c>item.completed</c> (wire contract §4.2).</summary>
internal sealed class CodexTranslator : IHarnessTranslator
{
    public Translation Translate(JsonElement harnessEvent, TurnState state) => harnessEvent.Text("type") switch
    {
        "thread.started" => Started(harnessEvent, state),
        "item.agentMessage.delta" => Delta(harnessEvent, state),
        "item.started" => Item(harnessEvent, state, open: +1),
        "item.completed" => Item(harnessEvent, state, open: -1),
        "turn.completed" => Completed(harnessEvent, state),
        "turn.failed" => Failed(harnessEvent, state),
        "error" => Error(harnessEvent, state),
        "turn.started" or "turn.plan.updated" or "item.updated" or "status" or "subagent" => Translation.AsItIs(harnessEvent, state),
        { } type when type.StartsWith("item.", StringComparison.Ordinal) => Translation.AsItIs(harnessEvent, state),
        _ => new Translation(state),
    };

    static Translation Started(JsonElement e, TurnState state)
    {
        var id = e.Text("thread_id") ?? e.Member("thread")?.Text("id");
        return id is null ? new Translation(state) : new Translation(state with { HarnessThreadId = id }, Canonical.Init(id, e.Text("model")));
    }

    static Translation Delta(JsonElement e, TurnState state)
    {
        var text = e.Text("delta") ?? "";
        var item = e.Text("itemId") ?? "";
        return new Translation(state, Delta: new TokenDelta(
            "agentMessage:" + item,
            text,
            joined => new JsonObject { ["type"] = "item.agentMessage.delta", ["itemId"] = item, ["delta"] = joined }.ToJsonString()));
    }

    static Translation Item(JsonElement e, TurnState state, int open)
    {
        if (e.Member("item") is not { } item)
            return new Translation(state);
        switch (item.Text("type"))
        {
            case "agentMessage" or "agent_message":
                // The deltas have shown it already; only the whole text counts, as the answer so far.
                return open < 0 && item.Text("text") is { Length: > 0 } text ? new Translation(state with { ResultText = text }) { Whole = e } : new Translation(state);
            case "userMessage" or "user_message":
                return new Translation(state);
            case "error":
                return new Translation(state, Canonical.Error(item.Text("message") ?? "codex reported an error without a text"));
            case "commandExecution" or "command_execution" or "mcpToolCall" or "dynamicToolCall" or "fileChange":
                return Translation.AsItIs(e, state with { OpenTools = Math.Max(0, state.OpenTools + open) });
            default:
                return Translation.AsItIs(e, state);
        }
    }

    static Translation Completed(JsonElement e, TurnState state)
    {
        var ended = (state with { Usage = Usage(e) ?? state.Usage }).End(succeeded: true);
        return new Translation(ended, Canonical.Usage(ended.Usage));
    }

    static Translation Failed(JsonElement e, TurnState state)
    {
        var message = e.Member("turn")?.Member("error")?.Text("message") ?? e.Member("error")?.Text("message") ?? e.Text("message")
            ?? "codex ended the turn as failed and gave no reason";
        return new Translation(state.End(succeeded: false, message), Canonical.Error(message));
    }

    static Translation Error(JsonElement e, TurnState state)
    {
        // A notice that codex retries by itself ends nothing; what does not retry is followed by turn.failed.
        var message = e.Member("error")?.Text("message") ?? e.Text("message") ?? "codex reported an error without a text";
        return new Translation(state, Canonical.Error(message, willRetry: e.Flag("willRetry")));
    }

    /// <summary>The turn's own tokens: codex itself counts per conversation, its driver per turn.</summary>
    static TurnUsage? Usage(JsonElement e) => e.Member("usage") is { } usage
        ? new TurnUsage(usage.Number("input_tokens"), usage.Number("output_tokens"), usage.Number("cached_input_tokens"))
        : null;
}
