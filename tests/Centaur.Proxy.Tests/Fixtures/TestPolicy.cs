using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>Policies that most tests begin with.</summary>
static class TestPolicy
{
    public const string Placeholder = "CENTAUR-PLACEHOLDER-7f3a9c52e1d84b06";
    public const string SecretName = "VENDOR_KEY";

    public static ProxyPolicy Empty { get; } = new() { Version = 1, SandboxId = "sbx-test", ThreadKey = "thread-1", Turn = "turn-1", Principal = "ada" };

    /// <summary>Every path of these hosts, and nothing else.</summary>
    public static ProxyPolicy Allowing(params string[] hosts) => Empty with { Allow = [new EgressRule("test", hosts)] };

    /// <summary>The vendor's host, mapped to this origin.</summary>
    public static ProxyPolicy To(Origin origin) => Allowing(Origin.Host) with { Map = [origin.Map()] };

    /// <summary>The same policy, whose rules let requests become WebSockets.</summary>
    public static ProxyPolicy WithWebSockets(this ProxyPolicy policy) => policy with { Allow = [.. policy.Allow.Select(rule => rule with { WebSocket = true })] };

    /// <summary>As <see cref="To"/>, with the vendor's key bound to its Authorization and x-api-key headers.</summary>
    public static ProxyPolicy WithKey(Origin origin) => WithKey(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization", "x-api-key"] });

    public static ProxyPolicy WithKey(Origin origin, SecretBinding binding) => Allowing(Origin.Host, "other.vendor.test") with
    {
        Map = [origin.Map(secrets: SecretName), origin.Map("other.vendor.test", 443, SecretName)],
        Secrets = [new SecretGrant(SecretName, Placeholder, [binding])],
    };
}
