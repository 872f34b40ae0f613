using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Runner.Keep.Journal;

namespace Centaur.Runner.Keep.Attach;

/// <summary>One worker's connection to the attach socket: frames go out from where it asked, its messages come in, in order.</summary>
internal sealed class Attachment : IDisposable
{
    const int LongestMessage = 64 << 20;

    readonly Socket socket;
    readonly NetworkStream stream;
    readonly LineReader reader;
    readonly LineWriter writer;
    readonly CancellationTokenSource closing = new();

    public Attachment(Socket socket)
    {
        this.socket = socket;
        stream = new NetworkStream(socket, ownsSocket: false);
        reader = new LineReader(stream, LongestMessage);
        writer = new LineWriter(stream);
    }

    /// <summary>The generation that it attached with; 0 before it has.</summary>
    public long Generation { get; set; }

    /// <summary>Cancelled when a newer attachment takes its place.</summary>
    public CancellationToken Closed => closing.Token;

    /// <summary>The last frame that was sent.</summary>
    public long SentSeq { get; private set; }

    /// <summary>The next message, or null at the end. What is no message is answered and skipped.</summary>
    public async Task<WorkerMessage?> Read(CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await reader.Read(cancellationToken);
            if (line.Kind == LineKind.End)
                return null;
            if (Parse(line) is { } message)
                return message;
            await Say(new Refused(RefusalCodes.MalformedMessage, "That line is no message of a worker."), cancellationToken);
        }
    }

    public Task Say(KeeperMessage message, CancellationToken cancellationToken) => writer.Write(message, ProtocolJson.Default.KeeperMessage, cancellationToken);

    /// <summary>Sends the journal from a frame on, and what comes, until the attachment closes.</summary>
    public async Task SendFrames(FrameJournal journal, long afterSeq, CancellationToken cancellationToken)
    {
        var frames = new JournalReader(journal, afterSeq);
        while (true)
        {
            var grown = journal.Grown.Next;
            for (ReadOnlyMemory<byte> lines; !(lines = frames.Read()).IsEmpty;)
            {
                await writer.Write(lines, cancellationToken);
                SentSeq = frames.LastSeq;
                Sent.Signal();
            }

            await grown.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Signalled whenever <see cref="SentSeq"/> has grown.</summary>
    public Pulse Sent { get; } = new();

    /// <summary>Ends the connection; its loops stop.</summary>
    public void Close() => closing.Cancel();

    static WorkerMessage? Parse(Line line)
    {
        if (line.Kind != LineKind.Complete)
            return null;
        try
        {
            return JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.WorkerMessage);
        }
        catch (Exception malformed) when (malformed is JsonException or NotSupportedException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        closing.Cancel();
        closing.Dispose();
        stream.Dispose();
        socket.Dispose();
        writer.Dispose();
    }
}
