using System.Text.Json.Nodes;
using Centaur.Runner.BuiltIn.ModelApis;

namespace Centaur.Runner.BuiltIn;

/// <summary>The tokens of one turn, over all its requests.</summary>
internal sealed class TurnUsage
{
    long input;
    long cached;
    long output;

    public int Requests { get; private set; }

    public void Add(ModelUsage usage)
    {
        Requests++;
        input += usage.InputTokens;
        cached += usage.CachedInputTokens;
        output += usage.OutputTokens;
    }

    public JsonObject ToJson() => new() { ["input_tokens"] = input, ["cached_input_tokens"] = cached, ["output_tokens"] = output };
}
