using System.Text;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>
/// The grants of RFC 6749 (sections 4.3, 4.4 and 6) and the assertion of RFC 7523. Credentials of the client go in the form, as RFC 6749, section 2.3.1, permits
/// and iron-proxy does.
/// </summary>
sealed record OAuthGrant : ITokenGrant
{
    public required string Name { get; init; }

    public required OAuthGrantKind Kind { get; init; }

    public required Uri Endpoint { get; init; }

    public required IReadOnlyList<SourceUse> Sources { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>For jwt_bearer the audience of the assertion, the endpoint where empty; for client_credentials a parameter.</summary>
    public string Audience { get; init; } = "";

    public string Identity =>
        string.Join('\n', [$"{Kind} {Endpoint.OriginalString}", Audience, string.Join(' ', Scopes), .. Sources.Select(source => $"{source.Role}={source.Name}")]);

    public MintPlan Prepare(IReadOnlyDictionary<string, Secret> values, Secret? rotated, DateTimeOffset now)
    {
        Secret? Value(string role) => values.GetValueOrDefault(role);
        string Text(string role) => Value(role) is { } value ? Encoding.UTF8.GetString(value.Bytes) : "";
        var scope = string.Join(' ', Scopes);
        GrantForm form;
        switch (Kind)
        {
            case OAuthGrantKind.RefreshToken:
                form = new GrantForm("refresh_token").Add("refresh_token", rotated ?? Value("refresh_token"));
                break;
            case OAuthGrantKind.ClientCredentials:
                form = new GrantForm("client_credentials").Add("audience", Audience);
                break;
            case OAuthGrantKind.Password:
                form = new GrantForm("password").Add("username", Value("username")).Add("password", Value("password"));
                break;
            default:
                var assertion = new JwtAssertion(Text("issuer"), Text("subject"), Audience.Length > 0 ? Audience : Endpoint.OriginalString, scope, Text("private_key_id"));
                if (!assertion.TrySign(Text("private_key"), now, out var signed))
                    return MintPlan.Failed("its private_key is not an RSA private key in PEM");
                form = new GrantForm(JwtAssertion.GrantType).Add("assertion", signed);
                break;
        }

        form.Add("client_id", Value("client_id")).Add("client_secret", Value("client_secret"));
        if (Kind != OAuthGrantKind.JwtBearer)
            form.Add("scope", scope);
        var headers = values.Where(pair => pair.Key.StartsWith(OAuthTokenConfig.HeaderRole, StringComparison.Ordinal))
            .Select(pair => KeyValuePair.Create(pair.Key[OAuthTokenConfig.HeaderRole.Length..], pair.Value)).ToList();
        return headers.Find(header => !header.Value.FitsHeader) is { Key: { } unfit }
            ? MintPlan.Failed($"the value of its header {unfit} holds characters that cannot stand there")
            : new MintPlan(new MintRequest(Endpoint, form.ToBytes(), headers), null);
    }
}

enum OAuthGrantKind
{
    RefreshToken,
    ClientCredentials,
    Password,
    JwtBearer,
}
