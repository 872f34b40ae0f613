using System.Text.Json;
using Centaur.Server.Events;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Executions.Observations;

/// <summary>
/// Observes one turn: lets its raw events be followed by what is observed of them, and counts for the summary. Reasoning that comes item after item is observed once,
/// with its sum, so that a harness that thinks aloud does not double its own rows.
/// </summary>
/// <param name="origin">What every observation carries.</param>
/// <param name="tally">The counts so far; changed here.</param>
/// <param name="ran">How long the execution has run when the observer is made.</param>
/// <param name="time">The clock.</param>
internal sealed class TurnObserver(ObservationOrigin origin, TurnTally tally, TimeSpan ran, TimeProvider time)
{
    readonly long began = time.GetTimestamp();
    long thought;

    public TurnTally Tally => tally;

    /// <summary>Appends an event and what is observed of it.</summary>
    /// <param name="to">What is to be stored, in order.</param>
    /// <param name="raw">The raw event; null where the deltas before it have told it already.</param>
    /// <param name="whole">The canonical event, where it is a whole item.</param>
    public void Append(List<NewEvent> to, NewEvent? raw, JsonElement? whole)
    {
        var observed = whole is { } item ? ObservationTranslator.Of(item).ToList() : [];
        var onlyThought = observed is [{ Kind: Observation.ReasoningKind }];
        if (!onlyThought)
            AppendRest(to);
        if (raw is not null)
        {
            to.Add(raw);
            tally.RawEvents++;
        }
        if (whole is { } seen)
            Models(seen);
        foreach (var observation in observed)
            Count(observation);
        if (onlyThought)
            thought += (long)observed[0].Members["text_chars"]!;
        else
            to.AddRange(observed.Select(Event));
    }

    /// <summary>Appends what is still summed up: something else follows, or the batch is stored.</summary>
    public void AppendRest(List<NewEvent> to)
    {
        if (thought > 0)
            to.Add(Event(Observation.Reasoning(thought)));
        thought = 0;
    }

    /// <summary>Text has come: a delta, or a whole item.</summary>
    public void SawText() => tally.FirstTextMs ??= (long)(ran + time.GetElapsedTime(began)).TotalMilliseconds;

    NewEvent Event(Observation observation) => new(observation.Kind, origin.Of(observation.Type, observation.Members));

    void Count(Observation observation)
    {
        switch (observation.Kind)
        {
            case Observation.TextKind:
                SawText();
                break;
            case Observation.ToolUseKind:
                tally.ToolUses++;
                Called((string?)observation.Members["tool_name"] ?? "unknown");
                break;
            case Observation.ToolResultKind:
                tally.ToolResults++;
                break;
            case Observation.CommandKind:
                tally.Commands++;
                Called("command_execution");
                break;
            case Observation.ErrorKind:
                tally.Errors++;
                break;
            case Observation.UsageKind:
                tally.CostUsd = (double?)observation.Members["cost_usd"] ?? tally.CostUsd;
                break;
        }
    }

    void Called(string tool) => tally.ToolCalls[tool] = tally.ToolCalls.GetValueOrDefault(tool) + 1;

    void Models(JsonElement canonical)
    {
        if ((canonical.Text("model") ?? canonical.Member("message")?.Text("model")) is { } model && !tally.Models.Contains(model))
            tally.Models.Add(model);
    }
}
