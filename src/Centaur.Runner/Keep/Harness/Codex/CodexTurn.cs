using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>Where the running turn stands. One turn of ours may span several of codex's.</summary>
internal sealed class CodexTurn
{
    readonly List<JsonArray> input = [];

    public bool Running { get; private set; }

    /// <summary>Codex's id of its running turn, once it has told it.</summary>
    public string? Id { get; set; }

    /// <summary>Words that wait for the turn's id.</summary>
    public List<JsonArray> Steering { get; } = [];

    /// <summary>Words that were sent, and neither taken nor refused yet.</summary>
    public int UnansweredSteering { get; set; }

    public bool Interrupted { get; set; }

    /// <summary>Codex's last word on its turn, kept back while steering is unanswered.</summary>
    public JsonElement? Completion { get; set; }

    public bool HasInput => input.Count > 0;

    public void Begin(JsonArray words)
    {
        Reset();
        Running = true;
        input.Add(words);
    }

    public void AddInput(JsonArray words) => input.Add(words);

    /// <summary>What no turn of codex took becomes the input of the next.</summary>
    public void ReturnSteering() => input.AddRange(TakeSteering());

    public IReadOnlyList<JsonArray> TakeSteering()
    {
        JsonArray[] taken = [.. Steering];
        Steering.Clear();
        return taken;
    }

    public JsonArray TakeInput()
    {
        var all = new JsonArray();
        foreach (var block in input.SelectMany(words => words))
            all.Add(block!.DeepClone());
        input.Clear();
        return all;
    }

    public void Reset()
    {
        Running = false;
        Id = null;
        Interrupted = false;
        Completion = null;
        UnansweredSteering = 0;
        Steering.Clear();
        input.Clear();
    }
}
