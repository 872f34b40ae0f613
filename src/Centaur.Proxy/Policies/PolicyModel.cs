using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Scanning;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Policies;

/// <summary>
/// One version of the policy, compiled and immutable. A request takes the current one when its head has been read and keeps it to its end.
/// </summary>
sealed class PolicyModel
{
    const int MaxRememberedHosts = 4096;

    readonly RuleModel[] rules;
    readonly HostPattern[] passthrough;
    readonly FrozenDictionary<(string Host, int Port), UpstreamMap> map;
    readonly ConcurrentDictionary<string, HostModel> hosts = new(StringComparer.Ordinal);

    public PolicyModel(ProxyPolicy source, RuleModel[] rules, SecretModel[] secrets, HostPattern[] passthrough, UpstreamMap[] map)
    {
        Source = source;
        Secrets = secrets;
        this.rules = rules;
        this.passthrough = passthrough;
        this.map = map.ToFrozenDictionary(entry => (entry.Host, entry.Port));
        Placeholders = secrets.Length == 0 ? null : SearchValues.Create([.. secrets.Select(secret => secret.Placeholder)], StringComparison.Ordinal);
        InertPlaceholders = secrets.Length == 0 ? null : new ScanModel(secrets.Select(secret => Inert(secret.Placeholder)));
    }

    public static PolicyModel DenyAll { get; } = new(new ProxyPolicy { Version = 0, SandboxId = "" }, [], [], [], []);

    public ProxyPolicy Source { get; }

    public long Version => Source.Version;

    public SecretModel[] Secrets { get; }

    /// <summary>What changes requests on their way out.</summary>
    public TransformSet Transforms { get; init; } = TransformSet.Empty;

    /// <summary>Whether there is anything that answers may have to be searched for.</summary>
    public bool HoldsSecrets => Secrets.Length > 0 || Transforms.SendsSecrets;

    /// <summary>Null where nothing is granted.</summary>
    public SearchValues<string>? Placeholders { get; }

    /// <summary>Finds placeholders in a body in which none is bound, and leaves them as they are.</summary>
    public ScanModel? InertPlaceholders { get; }

    public IEnumerable<UpstreamMap> Maps => map.Values;

    public UpstreamMap? MapFor(string host, int port) => map.Count > 0 && map.TryGetValue((host, port), out var entry) ? entry : null;

    /// <summary>The first of these secrets that a mapped upstream may not receive; null where it may receive all, or is not mapped.</summary>
    public string? NotMapped(string host, int port, IEnumerable<string> secrets) =>
        MapFor(host, port) is { } entry ? secrets.FirstOrDefault(name => !entry.Secrets.Contains(name)) : null;

    public HostModel For(string host, bool isAddress)
    {
        if (hosts.TryGetValue(host, out var known))
            return known;
        var model = Resolve(host, isAddress);
        // The names are the sandbox's choice; memory is not.
        if (hosts.Count < MaxRememberedHosts)
            hosts.TryAdd(host, model);
        return model;
    }

    /// <summary>True where some placeholder stands in <paramref name="text"/>.</summary>
    public bool Mentions(ReadOnlySpan<char> text) => Placeholders is not null && text.ContainsAny(Placeholders);

    HostModel Resolve(string host, bool isAddress)
    {
        var matching = rules.Where(rule => rule.CoversHost(host, isAddress)).ToList();
        if (Source.Open && !isAddress)
            matching.Add(OpenRule);
        var bindings = from secret in Secrets
                       from binding in secret.Bindings
                       where binding.CoversHost(host, isAddress)
                       select new BoundSecret(secret, binding);
        return new HostModel([.. matching], [.. bindings], HostPatterns.Any(passthrough, host, isAddress)) { Transforms = Transforms.For(host, isAddress) };
    }

    static Needle Inert(string placeholder) => new(placeholder, Encoding.ASCII.GetBytes(placeholder), Encoding.ASCII.GetBytes(placeholder));

    static readonly RuleModel OpenRule = new("open", [], [], [], []);
}
