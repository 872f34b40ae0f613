using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// A keeper with its harness, in memory, with the rules of the real one: one attachment, no lower generation, a turn is taken once, an acknowledged frame is forgotten, a
/// policy never goes back. What the harness does, and when, the run decides.
/// </summary>
internal sealed class ModelKeeper(string sandboxId, string threadKey)
{
    readonly Lock sync = new();
    readonly List<Frame> journal = [];
    readonly HashSet<string> delivered = [];
    ModelAttachment? attachment;
    bool isClaimed;
    long generation;
    long policyVersion;
    long lastSeq;
    long acknowledged;

    public string SandboxId => sandboxId;

    public string ThreadKey => threadKey;

    /// <summary>The turn that the harness works on.</summary>
    public string? Turn { get; private set; }

    /// <summary>Somebody has asked the harness to stop the turn.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>The jail is gone; the journal is still to be read.</summary>
    public bool IsDead { get; private set; }

    /// <summary>The keeper has ended: nobody can attach.</summary>
    public bool IsGone { get; private set; }

    /// <summary>A harness that does not stop when it is asked to: it is killed at the second time.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>Each turn's input, in the order in which the harness got it.</summary>
    public List<(string Turn, string Input)> Given { get; } = [];

    /// <summary>Everything that the harness ever said, and whether a reader may be shown it.</summary>
    public List<Spoken> Said { get; } = [];

    /// <summary>The last thing that was said, as it was journaled.</summary>
    public Frame? Last { get; private set; }

    /// <summary>True where the worker has given its turn, everything that was said is stored, and it is the harness's move.</summary>
    public bool Awaits(ModelWorker worker)
    {
        lock (sync)
            return attachment is { HasGivenTurn: true } standing && standing.Owner == worker && Turn is not null && Math.Max(acknowledged, standing.After) == lastSeq;
    }

    /// <summary>Something that is no end.</summary>
    public void Note() => Say("""{"type":"note"}""", Turn);

    /// <summary>More than any buffer between here and Postgres holds.</summary>
    public void Flood()
    {
        for (var n = 0; n < 600; n++)
            Note();
    }

    /// <summary>Ends the turn, with the answer's text or an error.</summary>
    /// <param name="well">Whether it is an answer.</param>
    /// <param name="again">How often the end is repeated.</param>
    /// <param name="after">How much is said after it.</param>
    public void End(bool well, int again = 0, int after = 0)
    {
        lock (sync)
        {
            var turn = Turn;
            for (var n = 0; n <= again; n++)
                Say(well ? $$"""{"type":"result","result":"answer {{n}} of {{sandboxId}} to {{turn}}"}""" : """{"type":"result","is_error":true,"result":"it broke"}""", turn, ends: true);
            for (var n = 0; n < after; n++)
                Say("""{"type":"note"}""", turn);
            Say("""{"type":"note"}""", null);
        }
    }

    /// <summary>The harness, or its jail with it, ends in the middle of the turn.</summary>
    public void Exit(bool jail)
    {
        lock (sync)
        {
            var notice = new JsonObject
            {
                ["type"] = jail ? KeeperEvents.JailExited : KeeperEvents.HarnessExited, ["cause"] = ExitCauses.OutOfMemory, ["message"] = "The sandbox was out of memory.",
            };
            IsDead |= jail;
            Say(notice.ToJsonString(), Turn, ends: true, source: Frame.KeeperSource);
        }
    }

    /// <summary>Serves one worker until it goes, or another one comes.</summary>
    public async Task Serve(Stream stream, ModelWorker owner)
    {
        using var writer = new LineWriter(stream);
        await using var lines = new LineReader(stream, 1 << 20);
        using var ending = new CancellationTokenSource();
        var mine = new ModelAttachment(owner, ending);
        var sending = Task.CompletedTask;
        try
        {
            while (await lines.Read(ending.Token) is { Kind: LineKind.Complete } line)
            {
                var message = JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.WorkerMessage)!;
                if (Obey(mine, message) is { } answer)
                    await writer.Write(answer, ProtocolJson.Default.KeeperMessage, ending.Token);
                if (message is AttachRequest request && mine.IsAttached)
                    sending = Send(mine, writer, request.AfterSeq, ending.Token);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The worker went, or another one came.
        }
        await ending.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (sync)
        {
            if (attachment == mine)
                attachment = null;
        }
        await stream.DisposeAsync();
    }

    KeeperMessage? Obey(ModelAttachment from, WorkerMessage message)
    {
        lock (sync)
        {
            if (message is AttachRequest request)
                return Attach(from, request);
            if (attachment != from)
                return new Refused(RefusalCodes.NotAttached, "Attach first.");
            switch (message)
            {
                case FrameAck ack:
                    acknowledged = Math.Max(acknowledged, Math.Min(ack.Seq, lastSeq));
                    journal.RemoveAll(frame => frame.Seq <= acknowledged);
                    return null;
                case InterruptTurn wish:
                    Interrupt(wish.Turn);
                    return null;
                case StopSandbox:
                    (IsDead, IsGone, Turn) = (true, true, null);
                    from.Ending.Cancel();
                    return null;
                case var _ when IsDead:
                    return new Refused(RefusalCodes.JailGone, "The jail is gone.");
                case PolicyUpdate update when update.Policy.Version <= policyVersion:
                    return new Refused(RefusalCodes.PolicyRejected, $"{policyVersion} is newer.");
                case PolicyUpdate update:
                    return new PolicyAcknowledged(policyVersion = update.Policy.Version);
                case ClaimRequest claim when claim.Identity.ThreadKey != threadKey:
                    return new Refused(RefusalCodes.AlreadyClaimed, $"This is {threadKey}'s.");
                case ClaimRequest:
                    isClaimed = true;
                    return new Claimed(threadKey);
                case UserTurn turn:
                    return Take(from, turn);
                default:
                    return new Refused(RefusalCodes.MalformedMessage, "That is nothing that a worker asks.");
            }
        }
    }

    KeeperMessage Attach(ModelAttachment from, AttachRequest request)
    {
        if (request.Generation < generation)
            return new Refused(RefusalCodes.GenerationStale, $"{generation} has attached.");
        generation = request.Generation;
        attachment?.Ending.Cancel();
        attachment = from;
        (from.IsAttached, from.After) = (true, request.AfterSeq);
        return new Attached(sandboxId, generation, lastSeq, IsDead ? KeeperPhases.Dead : KeeperPhases.Running, policyVersion, "", Turn);
    }

    KeeperMessage Take(ModelAttachment from, UserTurn turn)
    {
        if (!isClaimed)
            return new Refused(RefusalCodes.NotClaimed, "A turn needs a claim before it.");
        from.HasGivenTurn = delivered.Contains(turn.Turn) || Turn is null;
        if (delivered.Contains(turn.Turn))
            return new TurnAccepted(turn.Turn, Repeated: true);
        if (Turn is not null)
            return new Refused(RefusalCodes.TurnRunning, $"{Turn} still runs.");
        delivered.Add(turn.Turn);
        (Turn, IsInterrupted) = (turn.Turn, false);
        Given.Add((turn.Turn, turn.Message.GetRawText()));
        return new TurnAccepted(turn.Turn, Repeated: false);
    }

    void Interrupt(string turn)
    {
        if (Turn != turn)
            return;
        var isKilled = IsInterrupted || !IsDeaf;
        IsInterrupted = true;
        if (isKilled)
            Say("""{"type":"result","is_error":true,"result":"interrupted"}""", turn, ends: true);
    }

    void Say(string json, string? turn, bool ends = false, string? source = null)
    {
        lock (sync)
        {
            var said = JsonNode.Parse(json)!.AsObject();
            var mark = $"{sandboxId}/{++lastSeq}";
            said["mark"] = mark;
            Said.Add(new Spoken(turn, source is null ? mark : null, IsShown: turn is not null && turn == Turn, ends ? (string?)said["result"] : null));
            Last = new Frame { Seq = lastSeq, Turn = turn, Source = source, Event = JsonSerializer.SerializeToElement(said) };
            journal.Add(Last);
            if (ends)
                Turn = null;
            attachment?.Grown.Release();
        }
    }

    async Task Send(ModelAttachment to, LineWriter writer, long after, CancellationToken cancellationToken)
    {
        while (true)
        {
            List<Frame> next;
            lock (sync)
                next = journal.Where(frame => frame.Seq > after).ToList();
            foreach (var frame in next)
                await writer.Write(frame, ProtocolJson.Default.Frame, cancellationToken);
            after = next.Count > 0 ? next[^1].Seq : after;
            await to.Grown.WaitAsync(cancellationToken);
        }
    }
}

/// <summary>One worker's connection to a keeper.</summary>
internal sealed class ModelAttachment(ModelWorker owner, CancellationTokenSource ending)
{
    public ModelWorker Owner => owner;

    public CancellationTokenSource Ending => ending;

    public SemaphoreSlim Grown { get; } = new(0);

    public bool IsAttached { get; set; }

    /// <summary>The last frame that the worker had when it attached: stored, and perhaps never acknowledged.</summary>
    public long After { get; set; }

    /// <summary>The turn that runs was offered here and taken, now or before.</summary>
    public bool HasGivenTurn { get; set; }
}

/// <param name="Turn">The turn that it belongs to; null between turns.</param>
/// <param name="Mark">By which it is found again in the thread's log; null for a keeper's notice, which is told in other words.</param>
/// <param name="IsShown">False for what is said after the end of its turn, or outside of one.</param>
/// <param name="Result">The text of an end.</param>
internal sealed record Spoken(string? Turn, string? Mark, bool IsShown, string? Result);
