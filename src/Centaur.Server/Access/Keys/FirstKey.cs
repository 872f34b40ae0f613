using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Access.Keys;

/// <summary>
/// The admin key that the command line of this machine uses: made at the first start, kept in a file (0600), never logged. 1. The file's key is in the table: done.
/// 2. It is not (a new database): it is put there. 3. There is no file, or its key was revoked: a new key is made and what was made before for this host is revoked.
/// The file is written before the table, so that a death in between ends in step 2.
/// </summary>
internal sealed class FirstKey(HostIdentity host, PostgresDatabase database, ApiKeyStore store, ApiKeys keys, ILogger<FirstKey> log) : IStartStep
{
    static readonly CrashPoint Creating = new("api_key.first");
    static readonly IReadOnlyList<string> Granted = [Scopes.Admin, "agent", "threads", "tools:*", "workflows"];

    public async Task Run(CancellationToken cancellationToken)
    {
        var name = $"first-key:{host.HostId}";
        var file = host.Layout.BootstrapKeyFile;
        await database.InTransaction(
            Creating,
            async session =>
            {
                await session.Execute($"select pg_advisory_xact_lock(hashtext({name}))", cancellationToken);
                var kept = PrivateFile.Read(file) is { } text ? new ApiKeyToken(text) : null;
                var known = kept is null ? null : await store.ByHash(session, kept.Hash, cancellationToken);
                if (known is { Active: true })
                    return;

                if (kept is null || known is { Active: false })
                {
                    kept = ApiKeyToken.Create();
                    PrivateFile.Replace(file, kept.Text + "\n");
                    await store.RevokeNamed(session, name, cancellationToken);
                    AccessLog.FirstKeyMade(log, file);
                }

                await store.Insert(session, kept, name, Granted, "first-start", cancellationToken);
                session.AfterCommit(keys.Changed);
            },
            cancellationToken);
    }
}
