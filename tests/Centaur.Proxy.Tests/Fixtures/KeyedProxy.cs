using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>Origin, broker and proxy together, the key granted and bound: the whole path of a credential.</summary>
sealed class KeyedProxy : IAsyncDisposable
{
    public const string Ticket = "ticket-0123456789abcdef";

    public required Origin Origin { get; init; }

    public required BrokerProcess Broker { get; init; }

    public required SandboxProxy Proxy { get; init; }

    public static async Task<KeyedProxy> Start(Origin origin, ProxyPolicy? policy = null, string key = Origin.RealKey, int ttlSeconds = 60, string? audit = null)
    {
        var broker = await BrokerProcess.Start(ttlSeconds: ttlSeconds);
        broker.SetSecret(TestPolicy.SecretName, key);
        await broker.Grant("sbx-test", Ticket, TestPolicy.SecretName);
        var proxy = await SandboxProxy.StartWithAudit(audit);
        using (var connection = await broker.Open(Ticket))
            proxy.HandOver(connection);
        await proxy.Enforce(policy ?? TestPolicy.WithKey(origin));
        return new KeyedProxy { Origin = origin, Broker = broker, Proxy = proxy };
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Broker.DisposeAsync();
        await Origin.DisposeAsync();
    }
}
