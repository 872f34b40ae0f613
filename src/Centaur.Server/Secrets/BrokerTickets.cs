using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>What lets a keeper open its sandbox's grant at the broker: the same after every restart of anybody, and a guess to nobody.</summary>
public sealed class BrokerTickets(SigningKey key)
{
    public string For(string sandboxId) => Convert.ToHexStringLower(key.Sign("broker-ticket:" + sandboxId));
}
