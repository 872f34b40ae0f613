using System.Net;
using System.Net.Sockets;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Linux;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.Caching;
using Centaur.Proxy.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Hosting;

/// <summary><c>centaur-proxy --config proxy.yaml</c>: one policy from a file, on a TCP port.</summary>
static class StandaloneCommand
{
    public static async Task<int> Run(string path, CancellationToken stoppingToken)
    {
        Libc.ForbidDumps();
        var time = TimeProvider.System;
        var config = ConfigReader.ReadFile(path);
        if (!PolicyCompiler.TryCompile(config.Policy, config.Transforms, out var policy, out var problems))
            throw new UsageException($"{path} is not valid:\n  {problems.Replace("; ", "\n  ", StringComparison.Ordinal)}");
        using var logs = new StandardError(config.LogLevel);
        var log = logs.CreateLogger("Centaur.Proxy");
        foreach (var notice in config.Notices)
            log.ConfigNotice(notice);

        var authority = CertificateAuthority.FromPem(ReadPem(config.CaCertificateFile) + "\n" + ReadPem(config.CaKeyFile), time);
        var sources = new SourceSetup(EnvironmentVariables.Read(), null).Build(new NamedFileSource());
        await using var values = new ValueCache(new SourceReader(sources), time, log);
        var source = new LocalSource(config.Secrets, values);
        using var parts = new ProxyParts(authority, new AuditFile(OpenAudit(config.AuditFile), time), source, new ProxyLimits(), time);
        parts.Policies.Enforce(policy);
        await using var server = ProxyServer.Create(
            parts,
            options =>
            {
                options.Listen(Endpoint(config.TunnelListen, "proxy.tunnel_listen"), listener => ProxyServer.Guard(listener, parts));
                if (config.MetricsListen is { } metrics)
                    options.Listen(Endpoint(metrics, "metrics.listen"), AnswerHealth);
            },
            logs);
        await server.Start(stoppingToken);
        foreach (var address in server.Addresses)
            log.Listening(address);
        await using var postgres = config.Postgres is null ? null : await OpenPostgres(config.Postgres, source, parts, time, stoppingToken);
        if (postgres is not null)
            log.Listening($"postgres {postgres.Address}");
        var stopped = new TaskCompletionSource();
        await using (stoppingToken.Register(stopped.SetResult))
            await stopped.Task;
        return 0;
    }

    static async Task<PostgresListener> OpenPostgres(PostgresConfig config, LocalSource source, ProxyParts parts, TimeProvider time, CancellationToken cancellationToken)
    {
        var fetch = await source.Fetch(config.ClientPassword, cancellationToken);
        if (fetch.Secret is not { } password)
            throw new UsageException($"postgres.client.password_env: {fetch.Problem}");
        if (password.Bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            throw new UsageException("postgres.client.password_env: the password must be of printable ASCII characters");
        EndPoint where = config.Listen.StartsWith('/') ? new UnixDomainSocketEndPoint(config.Listen) : Endpoint(config.Listen, "postgres.listen");
        var listener = new Socket(where.AddressFamily, SocketType.Stream, where is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            listener.Bind(where);
            listener.Listen();
        }
        catch (SocketException fault)
        {
            listener.Dispose();
            throw new UsageException($"postgres.listen {config.Listen} cannot be had: {fault.Message}");
        }

        var shared = new PostgresParts(new BackendConnector(parts.Dialer), parts.Policies, parts.Audit, source, parts.Limits, time);
        return new PostgresListener(listener, config, password, shared);
    }

    static void AnswerHealth(ListenOptions listener)
    {
        listener.Protocols = HttpProtocols.Http1;
        listener.Use(next => connection =>
        {
            connection.Features.Set(new HealthProbe());
            return next(connection);
        });
    }

    static IPEndPoint Endpoint(string text, string key)
    {
        var full = text.StartsWith(':') ? "[::]" + text : text.Replace("localhost:", "127.0.0.1:", StringComparison.OrdinalIgnoreCase);
        return IPEndPoint.TryParse(full, out var endpoint) && full.LastIndexOf(':') > full.LastIndexOf(']')
            ? endpoint
            : throw new UsageException($"{key} must be address:port or :port, not \"{text}\"");
    }

    static string ReadPem(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {fault.Message}");
        }
    }

    static SafeFileHandle OpenAudit(string? path)
    {
        const int standardOutput = 1;
        return path is null
            ? new SafeFileHandle(standardOutput, ownsHandle: false)
            : File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }
}
