using System.Security.Cryptography;
using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Broker;

/// <summary>Which sandbox may fetch what, and the connections of its proxy. A change reaches open connections before it is acknowledged.</summary>
sealed class GrantTable
{
    readonly Lock gate = new();
    readonly Dictionary<string, Grant> bySandbox = new(StringComparer.Ordinal);

    /// <summary>Replaces what a sandbox was granted and tells its open connections what changed.</summary>
    public async Task Put(GrantSecrets request, CancellationToken cancellationToken)
    {
        FetchConnection[] told;
        string[] gone;
        bool newTicket;
        lock (gate)
        {
            var secrets = request.Secrets.DistinctBy(secret => secret.Name).ToDictionary(secret => secret.Name, secret => secret.Source, StringComparer.Ordinal);
            var ticket = Hash(request.Ticket);
            if (!bySandbox.TryGetValue(request.SandboxId, out var before))
            {
                bySandbox[request.SandboxId] = new Grant(ticket, secrets, []);
                return;
            }

            newTicket = !before.Ticket.AsSpan().SequenceEqual(ticket);
            gone = [.. before.Secrets.Where(old => !secrets.TryGetValue(old.Key, out var now) || now != old.Value).Select(old => old.Key)];
            told = [.. before.Connections];
            bySandbox[request.SandboxId] = new Grant(ticket, secrets, newTicket ? [] : before.Connections);
        }

        await Tell(told, gone, close: newTicket, cancellationToken);
    }

    public async Task Revoke(string sandboxId, CancellationToken cancellationToken)
    {
        Grant? grant;
        lock (gate)
            bySandbox.Remove(sandboxId, out grant);
        if (grant is not null)
            await Tell([.. grant.Connections], [.. grant.Secrets.Keys], close: true, cancellationToken);
    }

    /// <summary>Tells every open connection whose grant names this source that its value is to be forgotten. The grants stay.</summary>
    public Task Forget(SecretSource source, CancellationToken cancellationToken)
    {
        (FetchConnection Connection, string Name)[] told;
        lock (gate)
        {
            told =
            [
                .. from grant in bySandbox.Values
                   from secret in grant.Secrets
                   where ValueCache.KeyOf(secret.Key, secret.Value) == source
                   from connection in grant.Connections
                   select (connection, secret.Key),
            ];
        }

        return Task.WhenAll(told.Select(each => each.Connection.Push(new SecretRevoked(each.Name), cancellationToken)));
    }

    /// <summary>The sandbox whose ticket this is; the connection is then its own.</summary>
    public string? Open(string ticket, FetchConnection connection)
    {
        var hash = Hash(ticket);
        lock (gate)
        {
            foreach (var (sandbox, grant) in bySandbox)
            {
                if (!CryptographicOperations.FixedTimeEquals(grant.Ticket, hash))
                    continue;
                grant.Connections.Add(connection);
                return sandbox;
            }
        }

        return null;
    }

    /// <summary>Where this connection may have the secret from; null where it may not.</summary>
    public SecretSource? Find(string sandboxId, FetchConnection connection, string name)
    {
        lock (gate)
        {
            return bySandbox.TryGetValue(sandboxId, out var grant) && grant.Connections.Contains(connection) && grant.Secrets.TryGetValue(name, out var source)
                ? source
                : null;
        }
    }

    public void Close(FetchConnection connection)
    {
        lock (gate)
        {
            foreach (var grant in bySandbox.Values)
                grant.Connections.Remove(connection);
        }
    }

    static async Task Tell(FetchConnection[] connections, string[] gone, bool close, CancellationToken cancellationToken)
    {
        foreach (var connection in connections)
        {
            foreach (var name in gone)
                await connection.Push(new SecretRevoked(name), cancellationToken);
            if (close)
                connection.End();
        }
    }

    static byte[] Hash(string ticket) => SHA256.HashData(Encoding.UTF8.GetBytes(ticket));

    sealed record Grant(byte[] Ticket, Dictionary<string, SecretSource> Secrets, HashSet<FetchConnection> Connections);
}
