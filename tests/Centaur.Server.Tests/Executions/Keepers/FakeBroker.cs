using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;

namespace Centaur.Server.Tests.Executions.Keepers;

/// <summary>The broker's control socket: it takes grants and withdrawals, and refuses what belongs on the other socket.</summary>
internal sealed class FakeBroker : IAsyncDisposable
{
    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly CancellationTokenSource stopping = new();
    readonly Task serving;

    public FakeBroker(string path)
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

    async Task Answer(Socket client)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            using var writer = new LineWriter(stream);
            await using var lines = new LineReader(stream, 1 << 20);
            var line = await lines.Read(stopping.Token);
            if (line.Kind != LineKind.Complete)
                return;
            BrokerReply reply = JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.BrokerRequest) is GrantSecrets or RevokeGrant
                ? new BrokerDone()
                : new BrokerFailed(0, "not_here", "Only grants and withdrawals are taken here.");
            await writer.Write(reply, ProtocolJson.Default.BrokerReply, stopping.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // Whoever asked was killed, or the test is over.
        }
    }
}
