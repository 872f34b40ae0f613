using System.Net;
using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Front;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.Caching;
using Centaur.Proxy.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>The proxy in this process, behind limits that a test can reach.</summary>
sealed class LimitedProxy : IAsyncDisposable
{
    readonly string auditPath = Path.GetTempFileName();
    readonly StandardError logs = new(LogLevel.None);
    readonly ValueCache values;
    readonly ProxyParts parts;
    readonly ProxyServer server;

    LimitedProxy(ProxyLimits limits, Entrance entrance)
    {
        using var memfd = Kernel.MakeMemfd("limited-ca");
        var audit = new AuditFile(File.OpenHandle(auditPath, FileMode.Open, FileAccess.ReadWrite, FileShare.Read), TimeProvider.System);
        values = new ValueCache(new SourceReader(new Dictionary<string, IValueSource>()), TimeProvider.System, logs.CreateLogger(""));
        var secrets = new LocalSource(new Dictionary<string, LocalSecret>(), values);
        parts = new ProxyParts(CertificateAuthority.FromMemfd(memfd, TimeProvider.System), audit, secrets, limits, TimeProvider.System);
        server = ProxyServer.Create(parts, options => options.Listen(IPAddress.Loopback, 0, listener => ProxyServer.Guard(listener, parts, entrance)), logs);
    }

    public static async Task<LimitedProxy> Start(ProxyLimits limits, ProxyPolicy policy, Entrance entrance = Entrance.Tunnel)
    {
        var proxy = new LimitedProxy(limits, entrance);
        if (!PolicyCompiler.TryCompile(policy, out var model, out var problems))
            throw new InvalidOperationException(problems);
        proxy.parts.Policies.Enforce(model, postgres: null);
        await proxy.server.Start(TestContext.Current.CancellationToken);
        return proxy;
    }

    public async Task<RawClient> Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(server.Addresses.Single()).Port, TestContext.Current.CancellationToken);
        return RawClient.Over(socket, parts.Authority!.CertificatePem);
    }

    /// <summary>A tunnel to the vendor's host, with TLS inside.</summary>
    public async Task<RawClient> Tunnel()
    {
        var client = await Connect();
        await client.Send($"CONNECT {Origin.Host}:443 HTTP/1.1\r\n\r\n");
        await client.ReadHead();
        await client.StartTls(Origin.Host);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        parts.Dispose();
        await values.DisposeAsync();
        logs.Dispose();
        File.Delete(auditPath);
    }
}
