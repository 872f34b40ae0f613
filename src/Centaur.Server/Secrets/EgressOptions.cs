using System.Net;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets.Hosts;
using Centaur.Server.Secrets.Transforms;

namespace Centaur.Server.Secrets;

/// <summary>What an operator lets sandboxes reach besides the hosts of their secrets. Nothing, unless it is written down.</summary>
public sealed record EgressOptions
{
    public IReadOnlyList<EgressRule> Allow { get; init; } = [];

    /// <summary>Every public host is allowed; must be asked for.</summary>
    public bool Open { get; init; }

    /// <summary>Relayed without interception.</summary>
    public IReadOnlyList<string> Passthrough { get; init; } = [];

    /// <summary>Local upstreams.</summary>
    public IReadOnlyList<UpstreamMap> Map { get; init; } = [];

    /// <summary>Secrets that every agent's sandbox is granted besides its model's key.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Credentials that are set, minted or signed on the way out. Their secrets are granted to the proxy of every sandbox, and the sandbox itself has not even a placeholder of them.</summary>
    public IReadOnlyList<TransformConfig> Transforms { get; init; } = [];

    /// <summary>Databases that every agent's sandbox may log in to, through its proxy.</summary>
    public IReadOnlyList<DatabaseGrant> Databases { get; init; } = [];

    /// <summary>Names of the secrets that only the proxy uses, and that need no binding therefore.</summary>
    public IReadOnlyCollection<string> Unseen =>
        Transforms.SelectMany(transform => transform.Uses).Select(use => use.Name).Concat(Databases.Select(database => database.Dsn)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether a host, or what stands below <c>*.</c>, is relayed without being looked into.</summary>
    public bool PassesThrough(string host) => Passthrough.Any(passed => SharedHosts.Covers(passed, host.Replace("*.", "", StringComparison.Ordinal)));

    public static EgressOptions Read(Settings settings)
    {
        var section = settings.Root.Section("egress");
        var map = section.Items("map", ReadMap);
        var lists = new HostLists(section, map.Select(entry => entry.Host).ToHashSet(StringComparer.Ordinal));
        var secrets = section.Texts("secrets");
        var options = new EgressOptions
        {
            Allow = section.Items("allow", (rule, index) => ReadRule(rule, index, lists), (word, _) => ReadWord(section, word, lists)),
            Open = section.Flag("open", fallback: false),
            Passthrough = section.Texts("passthrough").SelectMany(word => lists.Expand(section, "passthrough", word)).Distinct().ToList(),
            Map = map,
            Secrets = secrets,
            Databases = DatabaseSettings.Read(section, secrets),
            Transforms = TransformSettings.Read(section),
        };
        foreach (var twice in map.GroupBy(entry => (entry.Host, entry.Port)).Where(group => group.Count() > 1))
            section.Report("map", $"names {twice.Key.Host}:{twice.Key.Port} twice");
        TransformChecks.Run(section, options);
        return options;
    }

    static EgressRule ReadWord(SettingsSection section, string word, HostLists lists) =>
        new($"{(lists.Has(Lower(word)) ? "list" : "allow")}:{word}", lists.Expand(section, "allow", word));

    static EgressRule ReadRule(SettingsSection rule, int index, HostLists lists)
    {
        var hosts = rule.Texts("hosts").SelectMany(word => lists.Expand(rule, "hosts", word)).Distinct().ToList();
        if (hosts.Count == 0)
            rule.Report("hosts", "must name at least one host");
        var paths = rule.Texts("paths");
        foreach (var path in paths.Where(path => !path.StartsWith('/')))
            rule.Report("paths", $"\"{path}\" does not start with a slash");
        return new EgressRule(rule.Text("name", $"allow:{index}"), hosts)
        {
            Ports = rule.Numbers("ports", 1, 65_535),
            Methods = rule.Texts("methods").Select(m => m.ToUpperInvariant()).ToList(),
            Paths = paths,
            WebSocket = rule.Flag("websocket", fallback: false),
            Metered = rule.Flag("metered", fallback: false),
        };
    }

    static UpstreamMap ReadMap(SettingsSection map, int index)
    {
        var port = map.Number("port", 443, 1, 65_535);
        var address = map.Required("address");
        if (address.Length > 0 && !IPAddress.TryParse(address, out _))
            map.Report("address", $"\"{address}\" must be an IP address");
        var host = Lower(map.Required("host"));
        if (host.Contains('*', StringComparison.Ordinal))
            map.Report("host", $"\"{host}\" is a pattern; an entry leads one name to one address");
        return new UpstreamMap(host, port, address, map.Number("target_port", port, 1, 65_535))
        {
            CaCertificate = ReadCa(map),
            Plaintext = map.Flag("plaintext", fallback: false),
            Secrets = map.Texts("secrets"),
        };
    }

    static string? ReadCa(SettingsSection map)
    {
        if (map.OptionalText("ca_file") is not { } file)
            return null;
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            map.Report("ca_file", $"\"{file}\" cannot be read: {e.Message.TrimEnd('.')}");
            return null;
        }
    }

    static string Lower(string host) => host.ToLowerInvariant();
}
