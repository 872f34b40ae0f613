using System.Globalization;
using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Configuration;

/// <summary>Collects rules and secrets from the <c>transforms</c> list.</summary>
sealed class TransformReader(string folder)
{
    public List<EgressRule> Rules { get; } = [];

    public List<SecretGrant> Grants { get; } = [];

    public Dictionary<string, LocalSecret> Sources { get; } = new(StringComparer.Ordinal);

    public void Read(YamlMap transform)
    {
        var name = transform.Required("name");
        var config = transform.Map("config");
        switch (name)
        {
            case "allowlist" when config is not null:
                ReadAllowlist(config);
                config.Done();
                break;
            case "secrets" when config is not null:
                foreach (var secret in config.Maps("secrets"))
                    ReadSecret(secret);
                config.Done();
                break;
            case "allowlist" or "secrets":
                transform.Error("needs \"config\"");
                break;
            case "":
                break;
            default:
                transform.Error($"there is no transform \"{name}\"; known are allowlist and secrets");
                break;
        }

        transform.Done();
    }

    void ReadAllowlist(YamlMap config)
    {
        var domains = config.Texts("domains");
        if (domains.Count > 0)
            Rules.Add(new EgressRule("allowlist.domains", domains) { WebSocket = true });
        foreach (var rule in config.Maps("rules"))
        {
            var host = rule.Required("host");
            Rules.Add(new EgressRule(rule.Where, [host])
            {
                Methods = rule.Texts("methods"),
                Paths = rule.Texts("paths"),
                WebSocket = true,
                Ports = [.. rule.Texts("ports").Select(port => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)],
            });
            rule.Refuse("cidr", "is not supported: addresses are checked when they are dialled");
            rule.Done();
        }

        config.Refuse("cidrs", "is not supported: addresses are checked when they are dialled");
        if (config.Flag("warn"))
            config.Error("\"warn\" would let everything through; this proxy denies by default");
    }

    void ReadSecret(YamlMap secret)
    {
        var source = LocalSecretReader.Read(secret, folder);
        secret.Refuse("inject", "is not supported yet; use replace");
        var binding = new SecretBinding([]);
        var placeholder = "";
        if (secret.Map("replace") is { } replace)
        {
            placeholder = replace.Required("proxy_value");
            var headers = replace.Texts("match_headers");
            binding = binding with
            {
                Headers = headers.Count == 0 ? ["*"] : headers,
                InBody = replace.Flag("match_body"),
                InPath = replace.Flag("match_path"),
                Query = replace.Flag("match_query") ? ["*"] : [],
            };
            if (replace.Flag("require"))
                replace.Notice("\"require\": a value that cannot be had always refuses the request here; one without the placeholder is not refused");
            replace.Done();
        }
        else if (!secret.Has("inject"))
        {
            secret.Error("needs \"replace\"");
        }

        var bindings = new List<SecretBinding>();
        foreach (var rule in secret.Maps("rules"))
        {
            bindings.Add(binding with { Hosts = [rule.Required("host")], Methods = rule.Texts("methods"), Paths = rule.Texts("paths") });
            rule.Refuse("cidr", "is not supported: a secret is bound to names");
            rule.Done();
        }

        if (bindings.Count == 0)
            secret.Notice("without \"rules\" this secret is bound nowhere");
        var name = LocalSecretReader.NameOf(source.Source);
        while (!Sources.TryAdd(name, source))
            name += "'";
        Grants.Add(new SecretGrant(name, placeholder, bindings));
        secret.Done();
    }
}
