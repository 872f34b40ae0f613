using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Events;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Executions;

/// <summary>
/// Frames on their way into the event log. Deltas of one stream are joined into one event; an event closes whatever delta is open, so that order is kept.
/// <see cref="ClosedSeq"/> is the last frame that everything is known about: what is stored up to it is never read again.
/// </summary>
internal sealed class FrameBatch(string turnId, IHarnessTranslator translator, TurnState state, TurnObserver observer, long storedSeq, TimeProvider time)
{
    readonly List<NewEvent> closed = [];
    OpenDelta? open;

    public TurnState State { get; private set; } = state with { Tally = observer.Tally };

    /// <summary>The last frame that is stored.</summary>
    public long StoredSeq { get; private set; } = storedSeq;

    /// <summary>The last frame that may be stored now.</summary>
    public long ClosedSeq { get; private set; } = storedSeq;

    public bool HasClosed => ClosedSeq > StoredSeq;

    public bool HasOpenDelta => open is not null;

    public int OpenCharacters => open?.Text.Length ?? 0;

    /// <summary>How much text waits to be stored.</summary>
    public long Characters { get; private set; }

    /// <summary>How long the open delta has waited.</summary>
    public TimeSpan OpenFor => open is null ? TimeSpan.Zero : time.GetElapsedTime(open.Since);

    /// <summary>The canonical event of a delta that live readers may see at once, or null.</summary>
    public string? Add(Frame frame)
    {
        // Frames of an earlier turn, and between turns, belong to no answer: their cursor moves on and nothing is shown.
        var translation = frame.Turn == turnId && State.Outcome is null ? Translate(frame) : new Translation(State);
        // The state is stored with the frames it came from, never ahead of them.
        if (translation.State != State)
            CloseDelta();
        State = translation.State;
        if (translation.Delta is { } delta)
            return Join(frame, delta);
        if (translation.Canonical is not null || translation.Whole is not null)
        {
            CloseDelta();
            Append(frame, translation);
        }

        if (open is not null)
            open.LastSeq = frame.Seq;
        else
            ClosedSeq = frame.Seq;
        return null;
    }

    /// <summary>Ends the open delta, so that it is stored with the next flush.</summary>
    public void CloseDelta()
    {
        if (open is null)
            return;
        observer.Append(closed, new NewEvent(EventKinds.Harness, open.Merge(open.Text.ToString())) { FirstSeq = open.FirstSeq, LastSeq = open.LastSeq }, null);
        ClosedSeq = open.LastSeq;
        open = null;
    }

    /// <summary>What is to be stored now. Not forgotten before <see cref="Stored"/>: a transaction that failed is tried again with the same events.</summary>
    public IReadOnlyList<NewEvent> Closed => closed;

    /// <summary>Ends what is still being summed up, before the batch is stored. The open delta waits on.</summary>
    public void Seal() => observer.AppendRest(closed);

    public void Stored()
    {
        closed.Clear();
        StoredSeq = ClosedSeq;
        Characters = OpenCharacters;
    }

    Translation Translate(Frame frame) => frame.Source == Frame.KeeperSource
        ? KeeperTranslator.Translate(frame.Event, State)
        : translator.Translate(frame.Event, State);

    void Append(Frame frame, Translation translation)
    {
        Characters += translation.Canonical?.Length ?? 0;
        var raw = translation.Canonical is { } json ? new NewEvent(EventKinds.Harness, json) { FirstSeq = frame.Seq, LastSeq = frame.Seq } : null;
        if (translation.Whole is { } whole)
        {
            observer.Append(closed, raw, whole);
            return;
        }
        using var made = JsonDocument.Parse(translation.Canonical!);
        observer.Append(closed, raw, made.RootElement);
    }

    string Join(Frame frame, TokenDelta delta)
    {
        observer.SawText();
        if (open is not null && open.Stream != delta.Stream)
            CloseDelta();
        open ??= new OpenDelta(delta.Stream, delta.Merge, frame.Seq, time.GetTimestamp());
        open.Text.Append(delta.Text);
        Characters += delta.Text.Length;
        open.LastSeq = frame.Seq;
        return delta.Merge(delta.Text);
    }

    sealed record OpenDelta(string Stream, Func<string, string> Merge, long FirstSeq, long Since)
    {
        public long LastSeq { get; set; } = FirstSeq;

        public System.Text.StringBuilder Text { get; } = new();
    }
}
