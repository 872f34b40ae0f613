using System.Net.Sockets;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>The secret broker's control socket, which grants everything: the runs have no secrets.</summary>
internal sealed class ModelBroker : IAsyncDisposable
{
    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly CancellationTokenSource stopping = new();
    readonly Task serving;

    public ModelBroker(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        serving = Serve();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        listener.Dispose();
        stopping.Dispose();
    }

    async Task Serve()
    {
        var answering = new List<Task>();
        try
        {
            while (true)
                answering.Add(Answer(await listener.AcceptAsync(stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(answering);
        }
    }

    async Task Answer(Socket socket)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            await using var lines = new LineReader(stream, 1 << 20);
            using var writer = new LineWriter(stream);
            if ((await lines.Read(stopping.Token)).Kind == LineKind.Complete)
                await writer.Write(new BrokerDone(), ProtocolJson.Default.BrokerReply, stopping.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // Whoever asked was killed.
        }
    }
}
