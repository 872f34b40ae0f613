using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Protocol.Policy;

/// <summary>
/// Everything that one sandbox's proxy may do: the routes that are open and the secrets that it may put on the wire, never their values.
/// A policy is immutable; a change is a new version, and requests in flight finish under the one they began with.
/// </summary>
public sealed record ProxyPolicy
{
    /// <summary>Grows with every change; a turn names the version it needs. 0 is the deny-all policy of a spare.</summary>
    public required long Version { get; init; }

    public required string SandboxId { get; init; }

    /// <summary>For the audit: whose thread this is.</summary>
    public string? ThreadKey { get; init; }

    /// <summary>For the audit: the turn that the traffic belongs to.</summary>
    public string? Turn { get; init; }

    /// <summary>For the audit: who asked.</summary>
    public string? Principal { get; init; }

    /// <summary>True only where an operator asked for <c>egress: open</c>: every public host is allowed and intercepted.</summary>
    public bool Open { get; init; }

    /// <summary>What may be reached. Nothing listed means nothing allowed.</summary>
    public IReadOnlyList<EgressRule> Allow { get; init; } = [];

    /// <summary>Hosts that are relayed without interception, by the operator's word; no secret is ever swapped there.</summary>
    public IReadOnlyList<string> Passthrough { get; init; } = [];

    public IReadOnlyList<SecretGrant> Secrets { get; init; } = [];

    /// <summary>What is done to requests besides: what sets, mints and signs credentials. In the order of the operator's file. A keeper of before, which knows none, may have a policy for a newer proxy: none are then meant.</summary>
    public IReadOnlyList<TransformConfig> Transforms { get; init => field = value ?? []; } = [];

    /// <summary>The databases that the sandbox may log in to; null where there are none.</summary>
    public DatabaseAccess? Databases { get; init; }

    /// <summary>Operator-made exceptions to name resolution and to the address guard; see <see cref="UpstreamMap"/>.</summary>
    public IReadOnlyList<UpstreamMap> Map { get; init; } = [];
}

/// <summary>One reason why a request may leave. Lists are alternatives; members must all hold; an empty list is "any".</summary>
/// <param name="Name">Names the rule in the audit and in refusals.</param>
/// <param name="Hosts">Exact names, or <c>*.example.com</c> for any depth below and the name itself. Lower case.</param>
public sealed record EgressRule(string Name, IReadOnlyList<string> Hosts)
{
    /// <summary>Default: 443 and 80.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>Upper case.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Each starts with a slash; <c>/v1/*</c> is the prefix <c>/v1</c> and everything below.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Whether a request may become a WebSocket.</summary>
    public bool WebSocket { get; init; }

    /// <summary>Whether a model answers there: what its answers say that they cost is recorded with their outcome.</summary>
    public bool Metered { get; init; }
}

/// <summary>A secret that this sandbox's requests may carry.</summary>
/// <param name="Name">The secret's name, as the broker knows it.</param>
/// <param name="Placeholder">What the sandbox holds in its stead: random per sandbox and secret.</param>
/// <param name="Bindings">Where the placeholder is swapped. Anywhere else in a header, query, path or CONNECT it is refused.</param>
public sealed record SecretGrant(string Name, string Placeholder, IReadOnlyList<SecretBinding> Bindings);

/// <summary>The places where one placeholder may stand.</summary>
/// <param name="Hosts">The hosts that may receive it: names, or <c>*.example.com</c> for a name and everything below it.</param>
public sealed record SecretBinding(IReadOnlyList<string> Hosts)
{
    public IReadOnlyList<string> Methods { get; init; } = [];

    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Header names, any case; <c>/…/</c> is a regular expression. The value of <c>Authorization: Basic</c> is looked into.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>Query parameter names.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    public bool InPath { get; init; }

    public bool InBody { get; init; }
}

/// <summary>
/// A name that stands for one exact address: a local model server, or the upstream of a test. The only way past the address guard, and only an operator's
/// configuration can make one, never a tool or an overlay.
/// </summary>
/// <param name="Host">The name that clients use.</param>
/// <param name="Port">The port that clients use.</param>
/// <param name="Address">The IP address that is dialled.</param>
/// <param name="TargetPort">The port that is dialled.</param>
public sealed record UpstreamMap(string Host, int Port, string Address, int TargetPort)
{
    /// <summary>PEM of the only certificate authority trusted for this upstream; null for the system's.</summary>
    public string? CaCertificate { get; init; }

    /// <summary>True where the upstream speaks plain HTTP behind the proxy's TLS.</summary>
    public bool Plaintext { get; init; }

    /// <summary>Names of the secrets that may be sent there; no other is swapped.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];
}
