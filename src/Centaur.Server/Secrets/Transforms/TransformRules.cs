using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Server.Secrets.Transforms;

/// <summary>What transforms open: their own hosts, as a binding opens its, and the endpoints at which clients ask for a token, where the proxy answers them itself.</summary>
internal static class TransformRules
{
    const string MetadataPath = "/computeMetadata/v1/instance/service-accounts/*/token";

    public static IEnumerable<EgressRule> Of(TransformConfig transform) => transform switch
    {
        OAuthTokenConfig token when new Uri(token.TokenEndpoint) is var endpoint =>
            [.. token.Rules, new EgressRule(token.Name, [endpoint.IdnHost]) { Ports = [endpoint.Port], Methods = ["POST"], Paths = [endpoint.AbsolutePath] }],
        GcpAuthConfig google =>
        [
            .. google.Rules,
            new EgressRule(google.Name, ["oauth2.googleapis.com"]) { Methods = ["POST"], Paths = ["/token"] },
            new EgressRule(google.Name, ["metadata.google.internal", "169.254.169.254"]) { Ports = [80], Methods = ["GET"], Paths = [MetadataPath] },
        ],
        _ => transform.Rules,
    };
}
