namespace Centaur.Protocol.Policy.Transforms;

/// <summary>An access token that the proxy mints at an endpoint (RFC 6749, RFC 7523) and puts into a header.</summary>
public sealed record OAuthTokenConfig : TransformConfig
{
    public const string RefreshToken = "refresh_token";
    public const string ClientCredentials = "client_credentials";
    public const string PasswordGrant = "password";
    public const string JwtBearer = "jwt_bearer";

    /// <summary>Roles with this prefix are headers of the request to the endpoint.</summary>
    public const string HeaderRole = "token_endpoint_headers.";

    /// <summary>The roles that values can have, in the order in which they are asked for.</summary>
    public static IReadOnlyList<string> Roles { get; } =
        ["refresh_token", "client_id", "client_secret", "username", "password", "issuer", "subject", "private_key", "private_key_id"];

    /// <summary>What each grant needs, and what it takes besides client_id and client_secret.</summary>
    static readonly Dictionary<string, (string[] Needed, string[] Possible)> Grants = new(StringComparer.Ordinal)
    {
        [RefreshToken] = (["refresh_token"], []),
        [ClientCredentials] = (["client_id", "client_secret"], []),
        [PasswordGrant] = (["username", "password"], []),
        [JwtBearer] = (["issuer", "private_key"], ["subject", "private_key_id"]),
    };

    static readonly string[] Identities = ["client_id", "username", "issuer", "subject", "private_key_id"];

    /// <summary>One of the grants above.</summary>
    public required string Grant { get; init; }

    /// <summary>An https address.</summary>
    public required string TokenEndpoint { get; init; }

    /// <summary>By role: those of <see cref="Roles"/>, and headers.</summary>
    public required IReadOnlyList<SourceUse> Sources { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>For jwt_bearer the audience of the assertion, the endpoint where empty; for client_credentials a parameter.</summary>
    public string Audience { get; init; } = "";

    public string Header { get; init; } = "Authorization";

    /// <summary>What stands before the token.</summary>
    public string ValuePrefix { get; init; } = "Bearer ";

    public override IReadOnlyList<SourceUse> Uses => Sources;

    /// <summary>False for names and identities, which answers may hold.</summary>
    public static bool IsConfidential(string role) => !Identities.Contains(role);

    private protected override IEnumerable<string> OwnProblems()
    {
        if (TransformForm.WordProblem("grant", Grant, [.. Grants.Keys]) is { } word)
            yield return word;
        if (Grants.TryGetValue(Grant, out var grant))
        {
            foreach (var role in grant.Needed.Where(role => !Sources.Any(source => source.Role == role)))
                yield return $"needs \"{role}\"";
            foreach (var source in Sources.Where(source => Roles.Contains(source.Role) && !Takes(grant, source.Role)))
                yield return $"{source.Role} has no meaning for {Grant}";
            if (Audience.Length > 0 && Grant is RefreshToken or PasswordGrant)
                yield return $"\"audience\" has no meaning for {Grant}";
        }

        if (TransformForm.EndpointProblem("token_endpoint", TokenEndpoint) is { } endpoint)
            yield return endpoint;
        foreach (var header in Sources.Where(source => source.Role.StartsWith(HeaderRole, StringComparison.Ordinal)).Select(source => source.Role[HeaderRole.Length..]).Append(Header))
        {
            if (TransformForm.HeaderProblem(header) is { } problem)
                yield return problem;
        }

        if (ValuePrefix.Any(letter => letter is < ' ' or > '~'))
            yield return "\"value_prefix\" holds a character that cannot stand in a header";
    }

    static bool Takes((string[] Needed, string[] Possible) grant, string role) =>
        role is "client_id" or "client_secret" || grant.Needed.Contains(role) || grant.Possible.Contains(role);
}
