using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Postgres.Relay;
using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Postgres;

/// <summary>
/// One client from its first byte to its last.
/// <para>1. It says who it is. 2. The DSN of its database is fetched. 3. The intent is in the audit. 4. The upstream is dialled, entered and set up. 5. Messages go both ways until one
/// side ends. 6. The outcome is in the audit.</para>
/// </summary>
sealed class PostgresSession(PostgresParts parts, CancelKeys keys)
{
    public async Task Run(Stream stream, CancellationToken cancellationToken)
    {
        var (reader, writer) = (new WireReader(stream), new WireWriter(stream));
        var (policy, runtime, postgres) = parts.Policies.Generation;
        try
        {
            // 1.
            if (postgres is null)
                throw new PostgresFault(SqlStates.InvalidAuthorization, "No database may be reached from here.", "database_not_allowed") { Hint = "An operator can allow one (egress.databases)." };
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(parts.Limits.HeadTimeout);
            var (packet, cancelKey) = await new ClientGreeting(reader, writer, postgres).Run(patience.Token);
            if (cancelKey is not null)
                await Cancel(cancelKey, policy, cancellationToken);
            else if (packet is not null)
                await Serve(packet, policy, postgres, runtime.Vault, reader, writer, cancellationToken);
        }
        catch (PostgresFault fault)
        {
            parts.Audit.RefusedStatement(policy, "", "session", "", fault.Cause, fault.SqlState);
            await writer.Write(fault.ToMessage(), cancellationToken);
            await writer.Flush(cancellationToken);
        }
    }

    async Task Serve(StartupPacket packet, PolicyModel policy, PostgresModel postgres, SecretVault vault, WireReader reader, WireWriter writer, CancellationToken cancellationToken)
    {
        // 2.
        if (postgres.Databases.FirstOrDefault(known => known.Database == packet.Database) is not { } database)
            throw new PostgresFault(SqlStates.InvalidCatalogName, "There is no such database here.", "database_unknown") { Hint = "Use a database name that the operator gave." };
        var rules = new SessionRules(database.Role, database.Settings.Select(setting => setting.Name));
        var parameters = StartupParameters.Vet(packet, rules);
        // Before the value: a revocation in between is seen.
        var revocation = vault.Revocation(database.Dsn);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, revocation);
        var dsn = await FetchDsn(database, postgres.Secrets, cancellationToken);
        var map = policy.MapFor(dsn.Address.Host, dsn.Address.Port);

        // 3.
        var (id, started) = (parts.Audit.NewId(), parts.Time.GetTimestamp());
        if (!parts.Audit.Intend(new AuditIntent(id, policy, dsn.Address, "POSTGRES", "/" + database.Database, "postgres", [dsn.Password?.Name ?? database.Dsn])))
            throw new PostgresFault(SqlStates.SystemError, "The audit cannot be written, so nothing is sent.", "audit_unavailable") { Hint = "The operator can make room for it." };
        var counts = new SessionCounts();
        string? cause = null;
        try
        {
            await using var backend = await Open(dsn, map, database, parameters, ending.Token);
            var relay = new SessionRelay(counts, (kind, reason) =>
                parts.Audit.RefusedStatement(policy, id, kind, database.Database, Cause(reason), RefusalTexts.Of(reason).SqlState));
            await Greet(backend, writer, relay, reader, rules, ending.Token);
        }
        catch (PostgresFault fault)
        {
            cause = fault.Cause;
            await writer.Write(fault.ToMessage(), cancellationToken);
            await writer.Flush(cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException)
        {
            cause = revocation.IsCancellationRequested ? "secret_revoked" : "connection_ended";
        }
        finally
        {
            // 6.
            parts.Audit.ConcludeSession(policy, id, dsn.Address, counts, parts.Time.GetElapsedTime(started), cause);
        }
    }

    // 5.
    async Task Greet(Backend backend, WireWriter writer, SessionRelay relay, WireReader reader, SessionRules rules, CancellationToken cancellationToken)
    {
        var key = keys.Issue(backend);
        try
        {
            foreach (var (name, value) in backend.Parameters)
                await writer.Write(new WireMessage('S').Text(name).Text(value).Build(), cancellationToken);
            await writer.Write(new WireMessage('K').Raw(key).Build(), cancellationToken);
            await writer.Write(new WireMessage('Z').Raw("I"u8).Build(), cancellationToken);
            await writer.Flush(cancellationToken);
            await relay.Run(reader, writer, backend, rules, cancellationToken);
        }
        finally
        {
            keys.Withdraw(key);
        }
    }

    // 4.
    async Task<Backend> Open(
        Dsn dsn, UpstreamMap? map, DatabaseGrant database, IReadOnlyDictionary<string, string> parameters, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(parts.Limits.DialTimeout + parts.Limits.HeadTimeout);
        try
        {
            return await parts.Connector.Open(dsn, map, database, parameters, patience.Token);
        }
        catch (Exception fault) when (fault is not PostgresFault && fault is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var cause = fault is UpstreamFault known ? known.Code : fault is OperationCanceledException ? "connection_timeout" : "upstream_failed";
            throw new PostgresFault(SqlStates.ConnectionFailure, $"The upstream of this database was not reached ({cause}).", cause, fault)
            {
                Hint = cause == "destination_ip_prohibited" ? "Its address is not public: the operator can map it." : "Try again later, or tell the operator.",
            };
        }
    }

    static async Task<Dsn> FetchDsn(DatabaseGrant database, ISecretSource secrets, CancellationToken cancellationToken)
    {
        var fetch = await secrets.Fetch(database.Dsn, cancellationToken);
        if (fetch.Secret is not { } secret)
            throw new PostgresFault(SqlStates.ConnectionFailure, "The DSN of this database cannot be had.", "secret_unavailable") { Hint = $"The operator can mend it: {fetch.Problem}." };
        if (DsnReader.Read(secret, out var problem) is not { } dsn)
            throw new PostgresFault(SqlStates.ConnectionFailure, "The DSN of this database is not valid.", "secret_unusable") { Hint = $"The operator can mend it: {problem}." };
        return dsn.Database == database.Database
            ? dsn
            : throw new PostgresFault(SqlStates.InvalidCatalogName, "The DSN of this database names another database.", "database_mismatch") { Hint = "The operator can give both the same name." };
    }

    async Task Cancel(byte[] key, PolicyModel policy, CancellationToken cancellationToken)
    {
        if (keys.Find(key) is not { Key.Length: > 0 } backend)
            return;
        var (id, started) = (parts.Audit.NewId(), parts.Time.GetTimestamp());
        if (!parts.Audit.Intend(new AuditIntent(id, policy, backend.Dsn.Address, "POSTGRES-CANCEL", "/" + backend.Dsn.Database, "postgres", [])))
            return;
        string? cause = null;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(parts.Limits.DialTimeout);
            await parts.Connector.Cancel(backend, patience.Token);
        }
        catch (Exception fault) when (fault is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            cause = "upstream_failed";
        }
        finally
        {
            parts.Audit.ConcludeSession(policy, id, backend.Dsn.Address, new SessionCounts(), parts.Time.GetElapsedTime(started), cause);
        }
    }

    static string Cause(RefusalReason reason) => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());
}
