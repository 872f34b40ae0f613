using System.Text.Json;

namespace Centaur.Server.Harnesses;

/// <summary>
/// Turns one harness's own events into the canonical events of the contract (wire contract §4.1) and reads from them what a turn came to. Stateless:
/// what must be remembered between events is the <see cref="TurnState"/> that goes in and comes out, and is stored with the events.
/// </summary>
internal interface IHarnessTranslator
{
    /// <param name="harnessEvent">One JSON object that the harness emitted.</param>
    /// <param name="state">What the turn's earlier events have told.</param>
    Translation Translate(JsonElement harnessEvent, TurnState state);
}

/// <param name="State">The state after this event.</param>
/// <param name="Canonical">What is stored and streamed; null where nothing is to be shown.</param>
/// <param name="Delta">Set where the event is a token delta, which is merged with its neighbours before it is stored.</param>
internal sealed record Translation(TurnState State, string? Canonical = null, TokenDelta? Delta = null)
{
    /// <summary>The event as the harness emitted it, where that is what is observed: it is canonical as it is, or its deltas have shown it. Null: <see cref="Canonical"/> is.</summary>
    public JsonElement? Whole { get; init; }

    /// <summary>The harness's event is canonical as it is.</summary>
    public static Translation AsItIs(JsonElement harnessEvent, TurnState state) => new(state, harnessEvent.GetRawText()) { Whole = harnessEvent };
}

/// <summary>A piece of text as it streams.</summary>
/// <param name="Stream">Pieces with the same stream belong together, for example the item's type and id.</param>
/// <param name="Text">The piece.</param>
/// <param name="Merge">Makes the stored event of several joined pieces.</param>
internal sealed record TokenDelta(string Stream, string Text, Func<string, string> Merge);

/// <summary>What is known of a running turn.</summary>
internal sealed record TurnState
{
    public string? ResultText { get; init; }

    /// <summary>The harness's own conversation, for a resume.</summary>
    public string? HarnessThreadId { get; init; }

    /// <summary>A tool runs, so that silence is no sign of a hang.</summary>
    public int OpenTools { get; init; }

    public TurnUsage? Usage { get; init; }

    /// <summary>What is counted for the summary; null before the first event.</summary>
    public TurnTally? Tally { get; init; }

    /// <summary>Set by the first terminal event; a later one changes nothing.</summary>
    public TurnOutcome? Outcome { get; init; }

    /// <summary>The first terminal event wins (fault F30).</summary>
    public TurnState End(bool succeeded, string? error = null, string? cause = null) =>
        Outcome is null ? this with { Outcome = new TurnOutcome(succeeded, error, cause) } : this;
}

/// <param name="Succeeded">Whether the harness says that the turn is done.</param>
/// <param name="Error">For people, where it is not.</param>
/// <param name="Cause">One of the keeper's exit causes where the harness died, else null.</param>
internal sealed record TurnOutcome(bool Succeeded, string? Error, string? Cause);

/// <summary>Tokens as the harness reports them.</summary>
internal sealed record TurnUsage(long InputTokens, long OutputTokens, long CachedInputTokens);
