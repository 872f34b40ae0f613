using System.Net.Sockets;
using Centaur.Protocol.Attach;
using Centaur.Runner.Keep.Journal;

namespace Centaur.Runner.Keep.Attach;

/// <summary>
/// The attach socket. One attachment stands at a time.
/// <para>1. The first message must be an attach request, within a time limit.</para>
/// <para>2. A generation lower than the highest that was ever seen is refused; the same one or a higher one takes over, and the attachment before it is closed.</para>
/// <para>3. The answer comes first, then the frames after the one that the worker holds, then what happens.</para>
/// <para>4. Messages are obeyed in order, and only while their attachment stands. Acknowledgements never wait behind another message's work.</para>
/// </summary>
internal sealed class AttachListener(string path, FrameJournal journal, KeeperState state, IWorkerDesk desk) : IDisposable
{
    const int Backlog = 16;
    static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(10);

    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly SemaphoreSlim taking = new(1, 1);
    Attachment? current;

    public void Listen()
    {
        // The socket is bound under a name that nobody looks for, and gets its own when it may be connected to.
        var fresh = $"{path}.new";
        File.Delete(fresh);
        listener.Bind(new UnixDomainSocketEndPoint(fresh));
        File.SetUnixFileMode(fresh, KeeperFolders.PrivateFile);
        listener.Listen(Backlog);
        File.Move(fresh, path, overwrite: true);
    }

    public async Task Run(CancellationToken stoppingToken)
    {
        while (true)
        {
            var socket = await listener.AcceptAsync(stoppingToken);
            _ = Serve(socket, stoppingToken);
        }
    }

    /// <summary>Waits until the standing attachment has been sent everything, or is gone.</summary>
    public async Task Flush(CancellationToken cancellationToken)
    {
        while (current is { } attachment && attachment.SentSeq < journal.LastSeq && !attachment.Closed.IsCancellationRequested)
        {
            var sent = attachment.Sent.Next;
            if (attachment.SentSeq < journal.LastSeq)
                await sent.WaitAsync(cancellationToken);
        }
    }

    async Task Serve(Socket socket, CancellationToken stoppingToken)
    {
        using var attachment = new Attachment(socket);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, attachment.Closed);
        try
        {
            // 1.
            var first = await attachment.Read(ending.Token).WaitAsync(AttachPatience, ending.Token);
            if (first is not AttachRequest request)
            {
                if (first is not null)
                    await attachment.Say(new Refused(RefusalCodes.NotAttached, "Attach first."), ending.Token);
                return;
            }

            if (!await Take(attachment, request, ending.Token))
                return;

            // 3. and 4.
            var sending = attachment.SendFrames(journal, request.AfterSeq, ending.Token);
            await await Task.WhenAny(sending, Obey(attachment, ending.Token, stoppingToken));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or SocketException or ObjectDisposedException or TimeoutException)
        {
            // The worker went away, or a newer one came.
        }
        finally
        {
            attachment.Close();
            if (Interlocked.CompareExchange(ref current, null, attachment) == attachment)
                desk.Detached();
        }
    }

    async Task<bool> Take(Attachment attachment, AttachRequest request, CancellationToken cancellationToken)
    {
        // 2.
        await taking.WaitAsync(cancellationToken);
        try
        {
            if (request.Generation < state.Generation)
            {
                await attachment.Say(
                    new Refused(RefusalCodes.GenerationStale, $"Generation {state.Generation} has attached; {request.Generation} is older."), cancellationToken);
                return false;
            }

            if (request.Generation > state.Generation)
                state.Write(new KeeperRecord { Generation = request.Generation });
            attachment.Generation = request.Generation;
            Interlocked.Exchange(ref current, attachment)?.Close();
            await attachment.Say(desk.Describe(request.Generation), cancellationToken);
            return true;
        }
        finally
        {
            taking.Release();
        }
    }

    async Task Obey(Attachment attachment, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        var before = Task.CompletedTask;
        while (await attachment.Read(cancellationToken) is { } message)
        {
            if (message is FrameAck ack)
                desk.Acknowledge(ack.Seq);
            else
                before = InOrder(before, attachment, message, stoppingToken);
        }
    }

    async Task InOrder(Task before, Attachment attachment, WorkerMessage message, CancellationToken stoppingToken)
    {
        // An interrupt or a stop must reach a harness that keeps the message before it waiting.
        if (message is not (InterruptTurn or StopSandbox))
            await before;

        // What was begun is finished whether or not its worker lives to hear of it; only the answer goes with the attachment.
        if (await desk.Obey(message, () => ReferenceEquals(current, attachment), stoppingToken) is { } answer && !attachment.Closed.IsCancellationRequested)
            await attachment.Say(answer, attachment.Closed);
        await before;
    }

    public void Dispose()
    {
        listener.Dispose();
        taking.Dispose();
    }
}
