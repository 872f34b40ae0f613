using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Postgres.Authentication;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Sources.Caching;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Management;

/// <summary>
/// The configuration in force, and the way to the next one.
/// <para>1. The file is read as at the start, with the variables of the start. 2. What counts at the start only must be as it was. 3. Policy, transforms, databases and sources are made
/// ready, apart from those in force. 4. They are swapped at once: a request that has begun ends under what it began with. Whatever fails before changes nothing.</para>
/// </summary>
sealed class ConfigState(string path, IReadOnlyDictionary<string, string> environment, ProxyConfig start, ProxyParts parts, ValueCache values, ILogger log) : IDisposable
{
    readonly SemaphoreSlim turn = new(1, 1);
    readonly VaultList vaults = new();

    /// <summary>Puts the configuration of the start in force.</summary>
    /// <exception cref="UsageException">It cannot be.</exception>
    public async Task Begin(CancellationToken cancellationToken)
    {
        values.Gone = vaults.Drop;
        vaults.Add(parts.Vault, start.Secrets);
        parts.Policies.Enforce(await Prepare(start, parts.Policies.Generation.Runtime, cancellationToken));
    }

    /// <summary>Reads the file anew and puts it in force.</summary>
    /// <returns>Why it was not, or null.</returns>
    public async Task<string?> Reload(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            // 1.
            var config = ConfigReader.ReadFile(path, environment);

            // 2.
            if (FixedKeys.Changed(start.Fixed, config.Fixed) is { Count: > 0 } changed)
                throw new UsageException($"{path}: {string.Join(", ", changed)} cannot change while the proxy runs; restart it, or change the file back. Nothing of it was taken");

            // 3.
            var runtime = parts.Policies.Generation.Runtime;
            var vault = runtime.Vault.Over(new LocalSource(config.Secrets, values));
            var next = await Prepare(config, runtime with { Vault = vault, Tokens = runtime.Tokens.Over(vault) }, cancellationToken);

            // 4.
            vaults.Add(vault, config.Secrets);
            parts.Policies.Enforce(next);
            parts.Upstreams.Keep(next.Policy.Maps);
            foreach (var notice in config.Notices)
                log.ConfigNotice(notice);
            log.PolicyEnforced(next.Policy.Version);
            return null;
        }
        catch (UsageException wrong)
        {
            log.ReloadRefused(wrong.Message);
            return wrong.Message;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    async Task<Generation> Prepare(ProxyConfig config, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        var version = parts.Policies.Current.Version + 1;
        if (!PolicyCompiler.TryCompile(config.Policy with { Version = version }, out var policy, out var problems))
            throw new UsageException($"{path} is not valid:\n  {problems.Replace("; ", "\n  ", StringComparison.Ordinal)}");
        return new Generation(policy, runtime, config.Postgres is { } postgres ? await Prepare(postgres, new LocalSource(config.Secrets, values), cancellationToken) : null);
    }

    static async Task<PostgresModel> Prepare(PostgresConfig config, LocalSource source, CancellationToken cancellationToken)
    {
        var fetch = await source.Fetch(config.ClientPassword, cancellationToken);
        if (fetch.Secret is not { } password)
            throw new UsageException($"postgres.client.password_env: {fetch.Problem}");
        if (password.Bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            throw new UsageException("postgres.client.password_env: the password must be of printable ASCII characters");
        return new PostgresModel(config.ClientUser, config.Cleartext, config.Databases, new ScramServer(password), source);
    }
}
