using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Control;

/// <summary>The keeper's line to this proxy: policies and broker connections in, acknowledgements out. When it closes, the proxy ends.</summary>
sealed class ControlChannel(Socket socket, PolicyState policies, UpstreamPool upstreams, BrokerSource broker, SecretVault vault, ILogger log) : IDisposable
{
    const int LongestLine = 8 << 20;

    readonly DescriptorStream stream = new(socket);
    LineWriter? writer;

    LineWriter Writer => writer ??= new LineWriter(stream);

    public Task Announce(string caCertificate, CancellationToken cancellationToken) =>
        Writer.Write(new ProxyReady(caCertificate), ProtocolJson.Default.ProxyNotice, cancellationToken);

    /// <summary>Serves the keeper until it is gone.</summary>
    public async Task Run(CancellationToken stoppingToken)
    {
        broker.Revoked = vault.Drop;
        broker.Lost = () => _ = TellLost(stoppingToken);
        await using var reader = new LineReader(stream, LongestLine);
        while (true)
        {
            var line = await reader.Read(stoppingToken);
            switch (line.Kind)
            {
                case LineKind.End:
                    log.KeeperGone();
                    return;
                case LineKind.Oversized:
                    await Reject(0, $"the message is longer than {LongestLine} bytes", stoppingToken);
                    break;
                default:
                    await Obey(line.Bytes, stoppingToken);
                    break;
            }
        }
    }

    public void Dispose()
    {
        writer?.Dispose();
        stream.Dispose();
        socket.Dispose();
    }

    async Task Obey(ReadOnlyMemory<byte> line, CancellationToken stoppingToken)
    {
        ProxyCommand? command;
        try
        {
            command = JsonSerializer.Deserialize(line.Span, ProtocolJson.Default.ProxyCommand);
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            await Reject(0, "the message is not a known command", stoppingToken);
            return;
        }

        switch (command)
        {
            case EnforcePolicy enforce:
                await Enforce(enforce.Policy, stoppingToken);
                break;
            case UseBroker when stream.TakeDescriptor() is { } descriptor:
                _ = broker.Use(new Socket(new SafeSocketHandle(descriptor.DangerousGetHandle(), ownsHandle: true)), stoppingToken);
                descriptor.SetHandleAsInvalid();
                log.BrokerConnected();
                break;
            default:
                await Reject(0, "a broker line came without a descriptor", stoppingToken);
                break;
        }
    }

    async Task Enforce(ProxyPolicy policy, CancellationToken stoppingToken)
    {
        if (policy.Version < policies.Current.Version)
        {
            await Reject(policy.Version, $"version {policies.Current.Version} is in force already", stoppingToken);
            return;
        }

        if (!PolicyCompiler.TryCompile(policy, out var model, out var problems))
        {
            log.PolicyRejected(policy.Version, problems);
            await Reject(policy.Version, problems, stoppingToken);
            return;
        }

        policies.Enforce(model, policy.Databases is { } databases ? PostgresModel.Of(databases, broker) : null);
        upstreams.Keep(model.Maps);
        log.PolicyEnforced(policy.Version);
        await Writer.Write(new ProxyPolicyAcknowledged(policy.Version), ProtocolJson.Default.ProxyNotice, stoppingToken);
    }

    Task Reject(long version, string message, CancellationToken stoppingToken) =>
        Writer.Write(new ProxyPolicyRejected(version, message), ProtocolJson.Default.ProxyNotice, stoppingToken);

    async Task TellLost(CancellationToken stoppingToken)
    {
        log.BrokerLost();
        try
        {
            await Writer.Write(new ProxyBrokerLost(), ProtocolJson.Default.ProxyNotice, stoppingToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The keeper is gone too; the reading side ends the process.
        }
    }
}
