using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Control;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Linux;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Tls;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Hosting;

/// <summary>
/// <c>centaur-proxy sandbox</c>: the way out of one sandbox, on descriptors that its keeper opened.
/// <para>1. The authority is read from, or made in, the memfd.</para>
/// <para>2. The proxy listens and denies everything; it says that it is ready.</para>
/// <para>3. It obeys the control socket until that closes, or SIGTERM comes.</para>
/// </summary>
static class SandboxCommand
{
    /// <param name="withDatabases">The keeper handed over a listener for databases.</param>
    /// <param name="stoppingToken">Ends it.</param>
    public static async Task<int> Run(bool withDatabases, CancellationToken stoppingToken)
    {
        Libc.ForbidDumps();
        var time = TimeProvider.System;
        using var logs = new StandardError(LogLevel.Information);
        var log = logs.CreateLogger("Centaur.Proxy");

        // 1.
        CertificateAuthority authority;
        using (var memfd = new SafeFileHandle(ProxyDescriptors.CertificateAuthority, ownsHandle: true))
            authority = CertificateAuthority.FromMemfd(memfd, time);
        using var broker = new BrokerSource(time);
        using var parts = new ProxyParts(authority, new AuditFile(new SafeFileHandle(ProxyDescriptors.Audit, ownsHandle: true), time), broker, new ProxyLimits(), time);

        // 2.
        await using var server = ProxyServer.Create(parts, options => options.ListenHandle(ProxyDescriptors.Listener, listener => ProxyServer.Guard(listener, parts)), logs);
        await server.Start(stoppingToken);
        await using var databases = withDatabases ? parts.Postgres(new Socket(new SafeSocketHandle(ProxyDescriptors.Postgres, ownsHandle: true)), time) : null;
        using var control = new ControlChannel(
            new Socket(new SafeSocketHandle(ProxyDescriptors.Control, ownsHandle: true)), parts.Policies, parts.Upstreams, broker, parts.Vault, log);
        await control.Announce(authority.CertificatePem, stoppingToken);

        // 3.
        try
        {
            await control.Run(stoppingToken);
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or SocketException)
        {
            log.KeeperGone();
        }

        return 0;
    }
}
