using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Tests.Executions.Keepers;

/// <summary>
/// A keeper without a jail, as strict as the real one: it refuses a lower generation, an older policy, a turn while another runs; it takes a turn's id once, numbers
/// what its script says, keeps it, and offers it again to whoever attaches.
/// </summary>
internal sealed class FakeKeeper(SandboxRow row, Func<FakeKeeper, string, Task> script)
{
    readonly Lock gate = new();
    readonly List<Frame> journal = [];
    readonly List<Stream> attachments = [];
    readonly HashSet<string> turns = [];
    readonly List<string> inputs = [];
    Stream? holder;
    LineWriter? output;
    long generation;
    long policy;
    string? running;
    string phase = KeeperPhases.Spare;

    public string SandboxId => row.SandboxId;

    public bool IsDead => phase == KeeperPhases.Dead;

    /// <summary>The turns that its harness was given, each once.</summary>
    public IReadOnlyList<string> Inputs
    {
        get
        {
            lock (gate)
                return [.. inputs];
        }
    }

    /// <summary>So many attachments are cut before they are answered.</summary>
    public int AttachesToCut { get; set; }

    public int Attaches { get; private set; }

    /// <summary>The harness says one line.</summary>
    public Task Say(string json) => Append(json, null);

    /// <summary>The harness says what it says, and that its turn is done.</summary>
    public async Task Answer(string text)
    {
        await Say(new System.Text.Json.Nodes.JsonObject
        {
            ["type"] = "assistant",
            ["message"] = new System.Text.Json.Nodes.JsonObject
            {
                ["role"] = "assistant", ["model"] = "m", ["content"] = new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["type"] = "text", ["text"] = text }),
            },
        }.ToJsonString());
        await End($$"""{"type":"result","subtype":"success","is_error":false,"result":{{JsonSerializer.Serialize(text)}}}""");
    }

    public Task Fail(string error) => End($$"""{"type":"result","subtype":"error_during_execution","is_error":true,"result":{{JsonSerializer.Serialize(error)}}}""");

    /// <summary>The jail dies, and with it the keeper; the journal stays.</summary>
    public async Task Die()
    {
        await Append("""{"type":"keeper.jail_exited","cause":"killed","message":"The sandbox was killed."}""", Frame.KeeperSource);
        phase = KeeperPhases.Dead;
        Break();
    }

    /// <summary>Every attachment is cut; keeper and harness live on.</summary>
    public void Break()
    {
        List<Stream> open;
        lock (gate)
        {
            open = [.. attachments];
            attachments.Clear();
            (holder, output) = (null, null);
        }
        open.ForEach(stream => stream.Dispose());
    }

    /// <summary>Serves one attachment until it ends.</summary>
    public async Task Serve(Stream stream)
    {
        Attaches++;
        if (AttachesToCut > 0)
        {
            AttachesToCut--;
            await stream.DisposeAsync();
            return;
        }
        lock (gate)
            attachments.Add(stream);
        var writer = new LineWriter(stream);
        try
        {
            await using var lines = new LineReader(stream, 1 << 22);
            while (await lines.Read(CancellationToken.None) is { Kind: LineKind.Complete } line)
                await Take(JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.WorkerMessage)!, stream, writer);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Cut, by either side.
        }
        finally
        {
            await stream.DisposeAsync();
        }
    }

    async Task End(string json)
    {
        await Say(json);
        running = null;
    }

    async Task Append(string json, string? source)
    {
        using var parsed = JsonDocument.Parse(json);
        var frame = new Frame { Seq = journal.Count + 1, Turn = running, Source = source, Event = parsed.RootElement.Clone() };
        LineWriter? to;
        lock (gate)
        {
            journal.Add(frame);
            to = output;
        }
        if (to is not null)
            await TryWrite(to, frame);
    }

    async Task Take(WorkerMessage message, Stream stream, LineWriter writer)
    {
        if (message is AttachRequest attach)
        {
            await Attach(attach, stream, writer);
            return;
        }
        if (holder != stream)
        {
            await Reply(writer, new Refused(RefusalCodes.NotAttached, "Another attachment holds this sandbox."));
            return;
        }
        switch (message)
        {
            case PolicyUpdate update when update.Policy.Version <= policy:
                await Reply(writer, new Refused(RefusalCodes.PolicyRejected, $"Policy {policy} is in force."));
                break;
            case PolicyUpdate update:
                policy = update.Policy.Version;
                await Reply(writer, new PolicyAcknowledged(policy));
                break;
            case ClaimRequest claim:
                phase = KeeperPhases.Running;
                await Reply(writer, new Claimed(claim.Identity.ThreadKey));
                break;
            case UserTurn turn when turns.Contains(turn.Turn):
                await Reply(writer, new TurnAccepted(turn.Turn, Repeated: true));
                break;
            case UserTurn when running is not null:
                await Reply(writer, new Refused(RefusalCodes.TurnRunning, "Another turn runs."));
                break;
            case UserTurn turn:
                await Begin(turn, writer);
                break;
            case InterruptTurn interrupt when interrupt.Turn == running:
                await Fail("interrupted");
                break;
            case StopSandbox:
                phase = KeeperPhases.Dead;
                Break();
                break;
        }
    }

    async Task Begin(UserTurn turn, LineWriter writer)
    {
        turns.Add(turn.Turn);
        running = turn.Turn;
        lock (gate)
            inputs.Add(turn.Message.GetRawText());
        await Reply(writer, new TurnAccepted(turn.Turn, Repeated: false));
        _ = script(this, turn.Turn);
    }

    async Task Attach(AttachRequest attach, Stream stream, LineWriter writer)
    {
        if (attach.Generation < generation)
        {
            await Reply(writer, new Refused(RefusalCodes.GenerationStale, $"Generation {generation} holds this sandbox."));
            return;
        }
        generation = attach.Generation;
        List<Frame> missed;
        List<Stream> older;
        lock (gate)
        {
            older = attachments.Where(a => a != stream).ToList();
            attachments.RemoveAll(a => a != stream);
        }
        older.ForEach(a => a.Dispose());
        await Reply(writer, new Attached(SandboxId, generation, journal.Count, phase, policy, "", running));
        lock (gate)
        {
            missed = journal.Skip((int)attach.AfterSeq).ToList();
            (holder, output) = (stream, writer);
        }
        foreach (var frame in missed)
            await TryWrite(writer, frame);
    }

    static Task Reply(LineWriter writer, KeeperMessage message) => writer.Write(message, ProtocolJson.Default.KeeperMessage, CancellationToken.None);

    static async Task TryWrite(LineWriter writer, Frame frame)
    {
        try
        {
            await writer.Write(frame, ProtocolJson.Default.Frame, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Whoever attaches next reads it from the journal.
        }
    }
}
