using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>Counts a turn's tokens: codex tells the thread's total, and what the last request to the model added.</summary>
internal sealed class CodexUsage
{
    static readonly (string Theirs, string Ours)[] Counters =
    [
        ("inputTokens", "input_tokens"), ("cachedInputTokens", "cached_input_tokens"), ("outputTokens", "output_tokens"),
        ("reasoningOutputTokens", "reasoning_output_tokens"), ("totalTokens", "total_tokens"),
    ];

    readonly long[] total = new long[Counters.Length];
    readonly long[] before = new long[Counters.Length];
    bool known;

    public void Update(JsonElement parameters)
    {
        if (parameters.Member("tokenUsage") is not { } usage || usage.Member("total") is not { } sum || usage.Member("last") is not { } last)
            return;
        for (var i = 0; i < Counters.Length; i++)
        {
            total[i] = sum.Count(Counters[i].Theirs);
            // The first figure of a resumed thread holds the turns before it.
            if (!known)
                before[i] = total[i] - last.Count(Counters[i].Theirs);
        }

        known = true;
    }

    /// <summary>What was used since the last call.</summary>
    public JsonObject TakeTurn()
    {
        var usage = new JsonObject();
        for (var i = 0; i < Counters.Length; i++)
        {
            usage[Counters[i].Ours] = total[i] - before[i];
            before[i] = total[i];
        }

        return usage;
    }
}
