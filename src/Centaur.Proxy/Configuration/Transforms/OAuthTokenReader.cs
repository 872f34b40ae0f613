using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>oauth_token</c>: tokens that are minted here.</summary>
sealed class OAuthTokenReader(TransformReader transforms)
{
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
        if (token.Flag("require"))
            token.Notice("\"require\" has no effect: a token that cannot be had always refuses the request here");
        transforms.Add(token, new OAuthTokenConfig
        {
            Name = token.Where,
            Group = group,
            Grant = token.Text("grant") ?? "",
            TokenEndpoint = token.Text("token_endpoint") ?? "",
            Sources = [.. ReadSources(token), .. ReadHeaders(token)],
            Scopes = token.Texts("scopes"),
            Audience = token.Text("audience") ?? "",
            Header = token.Text("header") ?? "Authorization",
            ValuePrefix = token.Text("value_prefix") ?? "Bearer ",
            Rules = TransformRules.Read(token),
        });
        token.Done();
    }

    IEnumerable<SourceUse> ReadSources(YamlMap token) =>
        OAuthTokenConfig.Roles.Where(token.Offers).Select(role => transforms.UseSource(token, role, confidential: OAuthTokenConfig.IsConfidential(role)));

    IEnumerable<SourceUse> ReadHeaders(YamlMap token)
    {
        if (token.Map("token_endpoint_headers") is not { } headers)
            yield break;
        foreach (var name in headers.Keys)
            yield return transforms.UseSource(headers, name, OAuthTokenConfig.HeaderRole + name);
        headers.Done();
    }
}
