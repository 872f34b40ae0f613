using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Server.Harnesses;

/// <summary>The built-in harness speaks canonical events already (wire contract §4.1); only its deltas and its result are read.</summary>
internal sealed class BuiltInTranslator : IHarnessTranslator
{
    public Translation Translate(JsonElement harnessEvent, TurnState state) => harnessEvent.Text("type") switch
    {
        "content_block_delta" => Delta(harnessEvent, state),
        "system" when harnessEvent.Text("subtype") == "init" => Started(harnessEvent, state),
        "assistant" => Assistant(harnessEvent, state),
        "tool" => Translation.AsItIs(harnessEvent, state with { OpenTools = Math.Max(0, state.OpenTools - harnessEvent.Items("content").Count()) }),
        "result" => Result(harnessEvent, state),
        "usage" => Translation.AsItIs(harnessEvent, state with { Usage = Usage(harnessEvent.Member("usage")) ?? state.Usage }),
        _ => Translation.AsItIs(harnessEvent, state),
    };

    static Translation Started(JsonElement e, TurnState state) =>
        Translation.AsItIs(e, e.Text("session_id") is { } id ? state with { HarnessThreadId = id } : state);

    static Translation Delta(JsonElement e, TurnState state)
    {
        var text = e.Member("delta")?.Text("text");
        if (text is null)
            return new Translation(state);
        var index = e.Number("index");
        return new Translation(state, Delta: new TokenDelta(
            $"text:{index}",
            text,
            joined => new JsonObject
            {
                ["type"] = "content_block_delta",
                ["index"] = index,
                ["delta"] = new JsonObject { ["type"] = "text_delta", ["text"] = joined },
            }.ToJsonString()));
    }

    static Translation Assistant(JsonElement e, TurnState state)
    {
        var text = state.ResultText;
        var tools = 0;
        foreach (var block in e.Member("message")?.Items("content") ?? [])
        {
            if (block.Text("type") == "text")
                text = block.Text("text") ?? text;
            else if (block.Text("type") == "tool_use")
                tools++;
        }
        return Translation.AsItIs(e, state with { ResultText = text, OpenTools = tools });
    }

    static Translation Result(JsonElement e, TurnState state)
    {
        var text = e.Text("result") ?? e.Text("text");
        var ended = (state with { Usage = Usage(e.Member("usage")) ?? state.Usage }) is var known && e.Flag("is_error")
            ? known.End(succeeded: false, text ?? "the harness failed and gave no reason")
            : (known with { ResultText = text ?? known.ResultText }).End(succeeded: true);
        return Translation.AsItIs(e, ended);
    }

    static TurnUsage? Usage(JsonElement? usage) => usage is { } u
        ? new TurnUsage(u.Number("input_tokens"), u.Number("output_tokens"), u.Number("cached_input_tokens"))
        : null;
}
