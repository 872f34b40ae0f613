using System.Globalization;
using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>allowlist</c>: what may be reached.</summary>
static class AllowlistReader
{
    public static void Read(YamlMap config, List<EgressRule> rules)
    {
        var domains = config.Texts("domains");
        if (domains.Count > 0)
            rules.Add(new EgressRule("allowlist.domains", domains) { WebSocket = true });
        foreach (var rule in config.Maps("rules"))
            rules.Add(ReadRule(rule, "is not supported: addresses are checked when they are dialled"));
        config.Refuse("cidrs", "is not supported: addresses are checked when they are dialled");
        if (config.Flag("warn"))
            config.Error("\"warn\" would let everything through; this proxy denies by default");
    }

    /// <summary>One rule as iron-proxy writes it, with ports beside.</summary>
    public static EgressRule ReadRule(YamlMap rule, string noAddresses)
    {
        var read = new EgressRule(rule.Where, [rule.Required("host")])
        {
            Methods = rule.Texts("methods"),
            WebSocket = true,
            Paths = rule.Texts("paths"),
            Ports = [.. rule.Texts("ports").Select(port => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)],
        };
        rule.Refuse("cidr", noAddresses);
        rule.Done();
        return read;
    }
}
