using Centaur.Protocol.Attach;
using Centaur.Runner.Keep.Journal;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// Where turns and frames meet: which turn runs, and that everything that comes out while it runs carries its id. A turn's id is written down before the harness
/// gets it, so that the same turn is delivered once however often it is offered.
/// </summary>
internal sealed class TurnDesk(FrameJournal journal, KeeperState state)
{
    readonly Lock gate = new();
    long dropped;
    bool terminalMissing;

    /// <summary>The running turn, or null.</summary>
    public string? Turn => state.Turn;

    public bool HasRoom => journal.HasRoom;

    public Task Shrunk => journal.Shrunk.Next;

    /// <summary>True while the journal has stood at its cap for too long and the harness's events are dropped.</summary>
    public bool Cutting { get; set; }

    public bool WasDelivered(string turn) => state.WasDelivered(turn);

    public void Begin(string turn) => state.Write(new KeeperRecord { Delivered = turn });

    /// <summary>Ends the running turn, if one runs.</summary>
    public void End()
    {
        lock (gate)
        {
            if (state.Turn is not { } turn)
                return;
            if (terminalMissing)
            {
                terminalMissing = false;
                Notice(KeeperNotices.TurnFailed("The end of this turn's output was cut."));
            }

            state.Write(new KeeperRecord { Ended = turn });
        }
    }

    /// <summary>An event of the harness.</summary>
    public void Emit(ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            terminalMissing = Cutting;
            if (Cutting)
            {
                dropped += json.Length;
                return;
            }

            TellDropped();
            journal.Append(state.Turn, null, json);
        }
    }

    /// <summary>A notice of the keeper's own; it is appended even beyond the journal's cap.</summary>
    public void Notice(ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            TellDropped();
            journal.Append(state.Turn, Frame.KeeperSource, json);
        }
    }

    /// <summary>A line that is not given to the driver. While output is cut it is only counted: a flood of nonsense is a flood.</summary>
    public void Quarantine(string reason, long bytes, ReadOnlySpan<byte> head)
    {
        lock (gate)
        {
            if (Cutting)
                dropped += bytes;
            else
                Notice(KeeperNotices.LineQuarantined(reason, bytes, head));
        }
    }

    void TellDropped()
    {
        if (dropped == 0)
            return;
        journal.Append(state.Turn, Frame.KeeperSource, KeeperNotices.OutputCut(dropped));
        dropped = 0;
    }
}
