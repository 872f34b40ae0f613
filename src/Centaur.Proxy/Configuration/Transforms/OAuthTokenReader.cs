using Centaur.Proxy.Transforms;
using Centaur.Proxy.Transforms.Tokens;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>oauth_token</c>: tokens that are minted here.</summary>
sealed class OAuthTokenReader(TransformReader transforms)
{
    /// <summary>What each grant takes, and needs; client_id and client_secret are for any.</summary>
    static readonly Dictionary<string, GrantKeys> Grants = new(StringComparer.Ordinal)
    {
        ["refresh_token"] = new(OAuthGrantKind.RefreshToken, ["refresh_token"], []),
        ["client_credentials"] = new(OAuthGrantKind.ClientCredentials, ["client_id", "client_secret"], []),
        ["password"] = new(OAuthGrantKind.Password, ["username", "password"], []),
        ["jwt_bearer"] = new(OAuthGrantKind.JwtBearer, ["issuer", "private_key"], ["subject", "private_key_id"]),
    };

    static readonly string[] SourceKeys =
        ["refresh_token", "client_id", "client_secret", "username", "password", "issuer", "subject", "private_key", "private_key_id"];

    static readonly string[] Identities = ["client_id", "username", "issuer", "subject", "private_key_id"];

    public void Read(YamlMap config)
    {
        var tokens = config.Maps("tokens");
        if (tokens.Count == 0)
            config.Error("needs \"tokens\"");
        foreach (var token in tokens)
            ReadToken(token, group: config.Where);
    }

    void ReadToken(YamlMap token, string group)
    {
        var grant = token.OneOf("grant", [.. Grants.Keys]);
        var sources = Grants.TryGetValue(grant, out var keys) ? ReadSources(token, grant, keys) : [];
        var endpoint = TransformRules.Endpoint(token, "token_endpoint");
        if (token.Map("token_endpoint_headers") is { } headers)
        {
            sources.AddRange(headers.Keys.Select(name => transforms.UseSource(headers, TransformRules.Header(headers, name), OAuthGrant.HeaderRole + name)));
            headers.Done();
        }

        var audience = token.Text("audience") ?? "";
        if (audience.Length > 0 && grant is "refresh_token" or "password")
            token.Error($"\"audience\" has no meaning for {grant}");
        if (token.Flag("require"))
            token.Notice("\"require\" has no effect: a token that cannot be had always refuses the request here");
        var header = TransformRules.Header(token, token.Text("header") ?? "Authorization");
        var prefix = token.Text("value_prefix") ?? "Bearer ";
        if (prefix.Any(letter => letter is < ' ' or > '~'))
            token.Error("\"value_prefix\" holds a character that cannot stand in a header");
        var model = new OAuthGrant
        {
            Name = token.Where,
            Kind = keys?.Kind ?? OAuthGrantKind.ClientCredentials,
            Endpoint = endpoint,
            Sources = sources,
            Scopes = token.Texts("scopes"),
            Audience = audience,
        };
        var rules = TransformRules.Credential(token);
        token.Done();
        transforms.Transforms.Add(new BoundTransform(rules, new TokenTransform(model, header, prefix), group));
        transforms.Stubs.Add(new TokenStub(endpoint.IdnHost, endpoint.Port, endpoint.AbsolutePath));
    }

    List<SourceUse> ReadSources(YamlMap token, string grant, GrantKeys keys)
    {
        var sources = new List<SourceUse>();
        foreach (var key in SourceKeys)
        {
            var needed = keys.Needed.Contains(key);
            if (needed || ((keys.Possible.Contains(key) || key is "client_id" or "client_secret") && token.Has(key)))
                sources.Add(transforms.UseSource(token, key, confidential: !Identities.Contains(key)));
            else
                token.Refuse(key, $"has no meaning for {grant}");
        }

        return sources;
    }

    sealed record GrantKeys(OAuthGrantKind Kind, string[] Needed, string[] Possible);
}
