using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets.Transforms;

/// <summary>
/// Reads what <c>egress</c> says of credentials that are set, minted or signed on the way out, in the words of the stand-alone proxy's file. Where that names a source, this names a secret.
/// </summary>
internal static class TransformSettings
{
    /// <summary>Of all tokens the first whose rules match is used.</summary>
    const string TokenGroup = "egress.oauth_token";

    public static IReadOnlyList<TransformConfig> Read(SettingsSection egress) =>
    [
        .. egress.Items("inject", ReadInject),
        .. egress.Items("oauth_token", ReadToken),
        .. egress.Items("gcp_auth", ReadGoogle),
        .. egress.Items("hmac_sign", ReadSignature),
    ];

    static TransformConfig ReadInject(SettingsSection entry, int index) => Checked(entry, new InjectConfig
    {
        Name = $"egress.inject[{index}]",
        Source = Use(entry, "source"),
        Header = entry.OptionalText("header"),
        QueryParam = entry.OptionalText("query_param"),
        Formatter = entry.Text("formatter", "{{ .Value }}"),
        Rules = ReadRules(entry, $"egress.inject[{index}]"),
    });

    static TransformConfig ReadToken(SettingsSection entry, int index) => Checked(entry, new OAuthTokenConfig
    {
        Name = $"{TokenGroup}[{index}]",
        Group = TokenGroup,
        Grant = entry.Text("grant", ""),
        TokenEndpoint = entry.Text("token_endpoint", ""),
        Sources =
        [
            .. OAuthTokenConfig.Roles.Select(role => Optional(entry, role, OAuthTokenConfig.IsConfidential(role))).OfType<SourceUse>(),
            .. entry.Words("token_endpoint_headers").Select(header => Use(entry, "token_endpoint_headers", OAuthTokenConfig.HeaderRole + header.Key, header.Value)),
        ],
        Scopes = entry.Texts("scopes"),
        Audience = entry.Text("audience", ""),
        Header = entry.Text("header", "Authorization"),
        ValuePrefix = entry.Text("value_prefix", "Bearer "),
        Rules = ReadRules(entry, $"{TokenGroup}[{index}]"),
    });

    static TransformConfig ReadGoogle(SettingsSection entry, int index) => Checked(entry, new GcpAuthConfig
    {
        Name = $"egress.gcp_auth[{index}]",
        KeyFile = Use(entry, "keyfile"),
        Scopes = entry.Texts("scopes"),
        Subject = entry.Text("subject", ""),
        Rules = ReadRules(entry, $"egress.gcp_auth[{index}]"),
    });

    static TransformConfig ReadSignature(SettingsSection entry, int index)
    {
        var signature = entry.Section("signature");
        return Checked(entry, new HmacSignConfig
        {
            Name = $"egress.hmac_sign[{index}]",
            Credentials = [.. entry.Words("credentials").Select(credential => Use(entry, "credentials", credential.Key, credential.Value))],
            Timestamp = entry.Section("timestamp").Text("format", "unix_seconds"),
            Algorithm = signature.Text("algorithm", "sha256"),
            KeyEncoding = signature.Text("key_encoding", "raw"),
            OutputEncoding = signature.Text("output_encoding", "base64"),
            Message = signature.Text("message", ""),
            Headers = entry.Items("headers", (header, _) => new SignedHeader(header.Required("name"), header.Required("value"))),
            AllowChunkedBody = entry.Flag("allow_chunked_body", fallback: false),
            Rules = ReadRules(entry, $"egress.hmac_sign[{index}]"),
        });
    }

    static IReadOnlyList<EgressRule> ReadRules(SettingsSection entry, string name) => entry.Items("rules", (rule, _) =>
    {
        var host = rule.Required("host").ToLowerInvariant();
        if (host.Length > 0 && host != "*" && BindingForm.HostProblem(host) is { } problem)
            rule.Report("host", problem);
        var read = new EgressRule(name, [host])
        {
            Ports = rule.Numbers("ports", 1, 65_535),
            Methods = [.. rule.Texts("methods").Select(method => method.ToUpperInvariant())],
            Paths = rule.Texts("paths"),
        };
        foreach (var path in read.Paths.Where(path => !path.StartsWith('/')))
            rule.Report("paths", $"\"{path}\" does not start with a slash");
        return read;
    });

    static SourceUse Use(SettingsSection entry, string key) => Use(entry, key, key, entry.Required(key));

    static SourceUse? Optional(SettingsSection entry, string key, bool confidential) =>
        entry.OptionalText(key) is { } name ? Use(entry, key, key, name) with { Confidential = confidential } : null;

    static SourceUse Use(SettingsSection entry, string key, string role, string name)
    {
        // Not repeated: it may be the value.
        if (name.Length > 0 && !SecretModel.IsName(name))
            entry.Report(key, "must be the name of a secret, such as ACME_CLIENT_SECRET; values go to centaur secrets set");
        return new SourceUse(role, name);
    }

    static TransformConfig Checked(SettingsSection entry, TransformConfig transform)
    {
        foreach (var problem in transform.Problems())
            entry.Report(problem);
        return transform;
    }
}
