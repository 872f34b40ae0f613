using System.Net;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

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

    public static EgressOptions Read(Settings settings)
    {
        var section = settings.Root.Section("egress");
        return new EgressOptions
        {
            Allow = section.Items("allow", ReadRule, (host, _) => new EgressRule($"allow:{host}", [Lower(host)])),
            Open = section.Flag("open", fallback: false),
            Passthrough = section.Texts("passthrough").Select(Lower).ToList(),
            Map = section.Items("map", ReadMap),
            Secrets = section.Texts("secrets"),
        };
    }

    static EgressRule ReadRule(SettingsSection rule, int index)
    {
        var hosts = rule.Texts("hosts").Select(Lower).ToList();
        if (hosts.Count == 0)
            rule.Report("hosts", "must name at least one host");
        return new EgressRule(rule.Text("name", $"allow:{index}"), hosts)
        {
            Ports = rule.Numbers("ports", 1, 65_535),
            Methods = rule.Texts("methods").Select(m => m.ToUpperInvariant()).ToList(),
            Paths = rule.Texts("paths"),
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
        return new UpstreamMap(Lower(map.Required("host")), port, address, map.Number("target_port", port, 1, 65_535))
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
