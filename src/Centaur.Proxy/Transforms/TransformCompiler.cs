using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Centaur.Protocol.Policy.Templates;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Transforms.Tokens;

namespace Centaur.Proxy.Transforms;

/// <summary>Turns transforms as an operator wrote them into those that work, and says what is wrong with them.</summary>
static class TransformCompiler
{
    const string MetadataPath = "/computeMetadata/v1/instance/service-accounts/*/token";

    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>Google's ways to a token, which clients ask for themselves.</summary>
    static readonly TokenStub[] GoogleStubs =
    [
        new("oauth2.googleapis.com", 443, "/token"),
        new("metadata.google.internal", 80, MetadataPath, Metadata: true),
        new("169.254.169.254", 80, MetadataPath, Metadata: true),
    ];

    /// <summary>Compiles all; what is wrong is added to <paramref name="wrong"/>, and what it is wrong with is left out.</summary>
    public static TransformSet Compile(IReadOnlyList<TransformConfig> configs, List<string> wrong)
    {
        var transforms = new List<BoundTransform>();
        var stubs = new List<TokenStub>();
        foreach (var config in configs)
        {
            var problems = config.Problems().Select(problem => $"{config.Name}: {problem}").ToList();
            wrong.AddRange(problems);
            RuleModel[] rules = [.. config.Rules.Select(rule => PolicyCompiler.Compile(rule, wrong))];
            if (problems.Count == 0)
                transforms.Add(new BoundTransform(rules, Compile(config, stubs), config.Group));
        }

        return new TransformSet(transforms, stubs);
    }

    static IRequestTransform Compile(TransformConfig config, List<TokenStub> stubs)
    {
        switch (config)
        {
            case InjectConfig inject:
                return new InjectTransform(inject.Source, inject.Header, inject.QueryParam, Template(inject.Formatter, InjectConfig.Fields));
            case OAuthTokenConfig token:
                var endpoint = new Uri(token.TokenEndpoint);
                stubs.Add(new TokenStub(endpoint.IdnHost, endpoint.Port, endpoint.AbsolutePath));
                return new TokenTransform(Compile(token, endpoint), token.Header, token.ValuePrefix);
            case GcpAuthConfig google:
                stubs.AddRange(GoogleStubs);
                return new TokenTransform(new GcpGrant(google.Name, google.KeyFile, google.Scopes, google.Subject), "Authorization", "Bearer ");
            case HmacSignConfig sign:
                return Compile(sign);
            case HeaderAllowlistConfig list:
                return new HeaderAllowlistTransform(
                    list.Headers.Where(header => !header.StartsWith('/')),
                    [.. list.Headers.Where(header => header.StartsWith('/')).Select(header => new Regex(header[1..^1], RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience))]);
            default:
                throw new NotSupportedException(config.GetType().Name);
        }
    }

    static OAuthGrant Compile(OAuthTokenConfig token, Uri endpoint) => new()
    {
        Name = token.Name,
        Kind = token.Grant switch
        {
            OAuthTokenConfig.RefreshToken => OAuthGrantKind.RefreshToken,
            OAuthTokenConfig.PasswordGrant => OAuthGrantKind.Password,
            OAuthTokenConfig.JwtBearer => OAuthGrantKind.JwtBearer,
            _ => OAuthGrantKind.ClientCredentials,
        },
        Endpoint = endpoint,
        Sources = token.Sources,
        Scopes = token.Scopes,
        Audience = token.Audience,
    };

    static HmacSignTransform Compile(HmacSignConfig sign) => new()
    {
        Signature = new SignatureModel(
            sign.Timestamp,
            sign.Algorithm switch { "sha512" => HashAlgorithmName.SHA512, "sha1" => HashAlgorithmName.SHA1, _ => HashAlgorithmName.SHA256 },
            sign.KeyEncoding, sign.OutputEncoding, Template(sign.Message, sign.MessageFields())),
        Credentials = sign.Credentials,
        Headers = [.. sign.Headers.Select(header => KeyValuePair.Create(header.Name, Template(header.Value, sign.HeaderFields())))],
        LargestBody = sign.LargestBody,
        AllowsChunked = sign.AllowChunkedBody,
    };

    static TextTemplate Template(string text, IReadOnlyCollection<string> fields) =>
        TextTemplate.TryParse(text, fields, out var template, out var problem) ? template : throw new InvalidOperationException(problem);
}
