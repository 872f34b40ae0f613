using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading.Channels;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// One attachment to a keeper. Frames arrive in order and wait in a small buffer: when it is full the socket is not read, so a slow worker costs the
/// keeper's journal and never our memory. Questions (policy, claim, turn) are asked one at a time and answered in order.
/// </summary>
internal sealed class KeeperConnection : IAsyncDisposable
{
    const int MaxLineBytes = 64 << 20;
    const int WaitingFrames = 256;
    const long WaitingBytes = 8 << 20;

    /// <summary>One question is asked at a time.</summary>
    const int WaitingAnswers = 16;
    static readonly CrashPoint Attaching = new("keeper.attach");
    static readonly CrashPoint Policing = new("keeper.policy");
    static readonly CrashPoint Claiming = new("keeper.claim");
    static readonly CrashPoint Giving = new("keeper.turn");
    static readonly CrashPoint Steering = new("keeper.steer");
    static readonly CrashPoint Interrupting = new("keeper.interrupt");
    static readonly CrashPoint Acknowledging = new("keeper.ack");
    static readonly CrashPoint Stopping = new("keeper.stop");
    static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    readonly Stream stream;
    readonly CrashPoints crash;
    readonly LineWriter writer;
    readonly FrameQueue frames = new(WaitingFrames, WaitingBytes);
    readonly Channel<KeeperMessage> answers = Channel.CreateBounded<KeeperMessage>(new BoundedChannelOptions(WaitingAnswers) { SingleWriter = true });
    readonly SemaphoreSlim asking = new(1, 1);
    readonly CancellationTokenSource closing = new();
    Task reading = Task.CompletedTask;

    KeeperConnection(Stream stream, CrashPoints crash)
    {
        (this.stream, this.crash) = (stream, crash);
        writer = new LineWriter(stream);
    }

    /// <summary>Frames after the cursor of the attach request. Completes when the keeper closes: it died, or a newer attachment took over.</summary>
    public ChannelReader<Frame> Frames => frames;

    public Attached Attached { get; private set; } = null!;

    /// <exception cref="KeeperRefusedException">The keeper holds a higher generation, or will not attach.</exception>
    /// <exception cref="IOException">The keeper went away.</exception>
    public static async Task<KeeperConnection> Attach(Stream stream, CrashPoints crash, long generation, long afterSeq, CancellationToken cancellationToken)
    {
        var connection = new KeeperConnection(stream, crash);
        connection.reading = connection.Read();
        try
        {
            connection.Attached = await connection.Ask<Attached>(new AttachRequest(generation, afterSeq), cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks and waits for the answer of that type.</summary>
    /// <exception cref="KeeperRefusedException">The keeper said no, with a code of <see cref="RefusalCodes"/>.</exception>
    public async Task<T> Ask<T>(WorkerMessage question, CancellationToken cancellationToken)
        where T : KeeperMessage
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        await asking.WaitAsync(limit.Token);
        try
        {
            var point = PointOf(question);
            await crash.Reach(point, CrashMoment.Before);
            await Write(question, limit.Token);
            var received = await answers.Reader.ReadAsync(limit.Token);
            await crash.Reach(point, CrashMoment.After);
            return received switch
            {
                T answer => answer,
                Refused refused => throw new KeeperRefusedException(refused),
                var other => throw new IOException($"The keeper answered {question.GetType().Name} with {other.GetType().Name}."),
            };
        }
        catch (ChannelClosedException e)
        {
            throw new IOException("The keeper went away before it answered.", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The keeper did not answer {question.GetType().Name} within {AnswerLimit.TotalSeconds:0} s.", e);
        }
        finally
        {
            asking.Release();
        }
    }

    /// <summary>Says something that has no answer.</summary>
    public async Task Tell(WorkerMessage message, CancellationToken cancellationToken)
    {
        var point = PointOf(message);
        await crash.Reach(point, CrashMoment.Before);
        await Write(message, cancellationToken);
        await crash.Reach(point, CrashMoment.After);
    }

    /// <summary>Waits until the keeper has closed the attachment. What it still sends is dropped.</summary>
    public async Task Ended(CancellationToken cancellationToken)
    {
        await foreach (var _ in frames.ReadAllAsync(cancellationToken))
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await stream.DisposeAsync();
        await reading;
        writer.Dispose();
        asking.Dispose();
        closing.Dispose();
    }

    Task Write(WorkerMessage message, CancellationToken cancellationToken) => writer.Write(message, ProtocolJson.Default.WorkerMessage, cancellationToken);

    static CrashPoint PointOf(WorkerMessage message) => message switch
    {
        AttachRequest => Attaching,
        PolicyUpdate => Policing,
        ClaimRequest => Claiming,
        UserTurn => Giving,
        SteerTurn => Steering,
        InterruptTurn => Interrupting,
        FrameAck => Acknowledging,
        StopSandbox => Stopping,
        _ => throw new ArgumentOutOfRangeException(nameof(message), message.GetType().Name, "A message without a crash point."),
    };

    async Task Read()
    {
        Exception? end = null;
        try
        {
            await using var lines = new LineReader(stream, MaxLineBytes);
            while (await lines.Read(closing.Token) is { Kind: not LineKind.End } line)
                await Take(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or JsonException)
        {
            end = e is JsonException ? e : null;
        }
        finally
        {
            frames.Complete(end);
            answers.Writer.TryComplete(end);
        }
    }

    async Task Take(Line line)
    {
        if (line.Kind == LineKind.Oversized)
            throw new JsonException($"The keeper sent a line of {line.Length} bytes.");
        // A harness may print what no database holds, and a frame that cannot be stored would stop its thread for ever.
        StorableJson.Mend(MemoryMarshal.AsMemory(line.Bytes).Span);
        var head = new Utf8JsonReader(line.Bytes.Span);
        if (IsFrame(ref head))
            await frames.Write(JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.Frame)!, line.Bytes.Length, closing.Token);
        else if (!answers.Writer.TryWrite(JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.KeeperMessage)!))
            throw new JsonException("The keeper answers what nobody asked.");
    }

    /// <summary>A frame is the only line without a type of its own.</summary>
    static bool IsFrame(ref Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("type"))
                return false;
            json.Skip();
        }
        return true;
    }
}

/// <summary>The keeper understood and said no.</summary>
internal sealed class KeeperRefusedException(Refused refused) : Exception(refused.Message)
{
    /// <summary>One of <see cref="RefusalCodes"/>.</summary>
    public string Code => refused.Code;
}
