using Centaur.Proxy.Audit;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Linux;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Management;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Hosting;

/// <summary>
/// <c>centaur-proxy --config proxy.yaml</c>: one policy from a file, on TCP ports.
/// <para>1. The file is read, with the variables that win over it.</para>
/// <para>2. The policy is put in force, and only then the listeners open.</para>
/// <para>3. The file is read again when a SIGHUP or the management says so, until SIGTERM comes.</para>
/// </summary>
static class StandaloneCommand
{
    /// <summary>What other programs take for their proxy. Whoever starts this one may have set it for them.</summary>
    static readonly string[] Unread = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

    /// <summary>Each secret has a time to live of its own, and a reload may bring others; looking is cheap.</summary>
    static readonly TimeSpan TendEvery = TimeSpan.FromSeconds(0.5);

    public static async Task<int> Run(string path, CancellationToken stoppingToken)
    {
        Libc.ForbidDumps();
        var time = TimeProvider.System;

        // 1.
        var environment = EnvironmentVariables.Read();
        var config = ConfigReader.ReadFile(path, environment);
        using var logs = new StandardError(config.LogLevel);
        var log = logs.CreateLogger("Centaur.Proxy");
        foreach (var notice in config.Notices)
            log.ConfigNotice(notice);
        foreach (var variable in Unread.Where(environment.ContainsKey))
            log.ConfigNotice($"{variable} is set and not read; a chained proxy is named in proxy.upstream_proxy");

        // 2.
        var sources = new SourceSetup(environment, null).Build(new NamedFileSource());
        await using var values = new ValueCache(new SourceReader(sources), time, log);
        var audit = new AuditFile(StandaloneFiles.OpenAudit(config.AuditFile), time);
        using var parts = new ProxyParts(
            StandaloneFiles.ReadAuthority(config.Tls, time), audit, new LocalSource(config.Secrets, values), config.Limits, time, config.DialRules, config.Chain);
        using var state = new ConfigState(path, environment, config, parts, values, log);
        await state.Begin(stoppingToken);
        using var hangUps = new HangUps();
        await using var server = await StandaloneListeners.Open(config.Listen, parts, Management(config, environment, state, log), logs, log, stoppingToken);
        await using var postgres = config.Postgres is null ? null : StandaloneListeners.OpenPostgres(config.Postgres.Listen, parts, time);
        if (postgres is not null)
            log.Listening($"postgres {postgres.Address}");

        // 3.
        await Task.WhenAll(hangUps.Serve(state.Reload, stoppingToken), Tend(values, stoppingToken));
        return 0;
    }

    static async Task Tend(ValueCache values, CancellationToken stoppingToken)
    {
        try
        {
            await values.Tend(TendEvery, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The program ends.
        }
    }

    static ManagementDoor? Management(ProxyConfig config, IReadOnlyDictionary<string, string> environment, ConfigState state, ILogger log)
    {
        if (config.Listen.Management is null)
            return null;
        return environment.GetValueOrDefault(config.ManagementKeyVariable) is { Length: > 0 } key
            ? new ManagementDoor(key, state.Reload, log)
            : throw new UsageException($"management.listen needs a key that its callers hold: set the variable {config.ManagementKeyVariable}, or name another in management.api_key_env");
    }
}
