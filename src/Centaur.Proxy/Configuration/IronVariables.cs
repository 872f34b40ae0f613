using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>
/// Iron-proxy's variables. Each that has a key is put into the document before it is read, so that a value means the same wherever it was written; one that nobody
/// knows stops the start, since whoever set it expects something of it.
/// </summary>
sealed class IronVariables(IReadOnlyDictionary<string, string> environment, ConfigNotes notes)
{
    const string Prefix = "IRON_";

    /// <summary>Where the management's key is looked for when the file does not say.</summary>
    public const string ManagementKey = "IRON_MANAGEMENT_API_KEY";

    const string NoControlPlane = "there is no control plane here: the policy is the file's";
    const string NoRetry = "answers are not retried here; use oauth_token for tokens that expire";

    /// <summary>Keys by variable. A star at the end of a key stands for a list, written with commas.</summary>
    static readonly Dictionary<string, string> Keys = new(StringComparer.Ordinal)
    {
        ["IRON_PROXY_TUNNEL_LISTEN"] = "proxy.tunnel_listen",
        ["IRON_PROXY_HTTP_LISTEN"] = "proxy.http_listen",
        ["IRON_PROXY_HTTPS_LISTEN"] = "proxy.https_listen",
        ["IRON_PROXY_MAX_REQUEST_BODY_BYTES"] = "proxy.max_request_body_bytes",
        ["IRON_PROXY_MAX_RESPONSE_BODY_BYTES"] = "proxy.max_response_body_bytes",
        ["IRON_PROXY_UPSTREAM_RESPONSE_HEADER_TIMEOUT"] = "proxy.upstream_response_header_timeout",
        ["IRON_PROXY_UPSTREAM_DENY_CIDRS"] = "proxy.upstream_deny_cidrs*",
        ["IRON_TLS_MODE"] = "tls.mode",
        ["IRON_TLS_CA_CERT"] = "tls.ca_cert",
        ["IRON_TLS_CA_KEY"] = "tls.ca_key",
        ["IRON_TLS_CERT_CACHE_SIZE"] = "tls.cert_cache_size",
        ["IRON_TLS_LEAF_CERT_EXPIRY_HOURS"] = "tls.leaf_cert_expiry_hours",
        ["IRON_METRICS_LISTEN"] = "metrics.listen",
        ["IRON_MANAGEMENT_LISTEN"] = "management.listen",
        ["IRON_LOG_LEVEL"] = "log.level",
        ["IRON_DNS_ENABLED"] = "dns.enabled",
        ["IRON_DNS_LISTEN"] = "dns.listen",
        ["IRON_DNS_PROXY_IP"] = "dns.proxy_ip",
        ["IRON_DNS_UPSTREAM_RESOLVER"] = "dns.upstream_resolver",
        ["IRON_CONTROL_PLANE_POLL_INTERVAL"] = "control_plane.poll_interval",
    };

    static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["IRON_PROXY_TOKEN"] = NoControlPlane,
        ["IRON_CONTROL_PLANE_URL"] = NoControlPlane,
        ["IRON_PROXY_PG_LISTEN"] = "write postgres.listen",
        ["IRON_PROXY_PG_CLIENT_USER"] = "write postgres.client.user",
        ["IRON_PROXY_PG_CLIENT_PASSWORD"] = "name a variable of yours in postgres.client.password_env",
    };

    public void Apply(YamlMappingNode root)
    {
        foreach (var (variable, key) in Keys)
        {
            if (environment.GetValueOrDefault(variable) is { Length: > 0 } value)
                Put(root, variable, key, value);
        }
    }

    /// <param name="named">Variables that the file itself names.</param>
    public void RefuseUnknown(IReadOnlySet<string> named)
    {
        foreach (var variable in environment.Keys.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (Keys.ContainsKey(variable) || variable == ManagementKey || named.Contains(variable))
                continue;
            var reason = variable.StartsWith("IRON_RESPONSE_RETRY_", StringComparison.Ordinal) ? NoRetry : Refused.GetValueOrDefault(variable);
            var nearest = Nearest.Of(variable, [.. Keys.Keys, ManagementKey]);
            notes.Errors.Add(reason is not null
                ? $"{variable} is not supported: {reason}"
                : $"{variable} is no known variable" + (nearest is null ? "" : $"; did you mean {nearest}?"));
        }
    }

    void Put(YamlMappingNode root, string variable, string key, string value)
    {
        var parts = key.TrimEnd('*').Split('.');
        var section = new YamlScalarNode(parts[0]);
        if (!root.Children.TryGetValue(section, out var node) || node is YamlScalarNode { Value: null or "" or "~" or "null" })
            root.Children[section] = node = Note(new YamlMappingNode(), variable);
        // What is no section is said to be wrong where it is read.
        if (node is YamlMappingNode keys)
            keys.Children[Note(new YamlScalarNode(parts[1]), variable)] = key.EndsWith('*') ? List(variable, value) : Note(new YamlScalarNode(value), variable);
    }

    YamlSequenceNode List(string variable, string value) => Note(
        new YamlSequenceNode(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(item => Note(new YamlScalarNode(item), variable))),
        variable);

    T Note<T>(T node, string variable)
        where T : YamlNode
    {
        notes.Variables[node] = variable;
        return node;
    }
}
