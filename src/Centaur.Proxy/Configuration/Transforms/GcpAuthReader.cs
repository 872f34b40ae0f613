using Centaur.Proxy.Transforms;
using Centaur.Proxy.Transforms.Tokens;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>gcp_auth</c>: tokens of a Google service account.</summary>
sealed class GcpAuthReader(TransformReader transforms)
{
    const string MetadataPath = "/computeMetadata/v1/instance/service-accounts/*/token";

    public void Read(YamlMap config)
    {
        config.Refuse("credentials_provider", "is not supported: use \"keyfile\" or \"keyfile_path\"");
        var path = config.Text("keyfile_path");
        if (path is not null == config.Has("keyfile"))
            config.Error("needs either \"keyfile\" or \"keyfile_path\"");
        var keyFile = config.Has("keyfile") ? transforms.UseSource(config, "keyfile") : transforms.UseFile(path ?? "", "keyfile");
        var scopes = config.Texts("scopes");
        if (scopes.Count == 0)
            config.Error("needs \"scopes\", https://www.googleapis.com/auth/cloud-platform for example");
        var grant = new GcpGrant(config.Where, keyFile, scopes, config.Text("subject") ?? "");
        transforms.Transforms.Add(new BoundTransform(TransformRules.Credential(config), new TokenTransform(grant, "Authorization", "Bearer ")));
        transforms.Stubs.Add(new TokenStub("oauth2.googleapis.com", 443, "/token"));
        transforms.Stubs.Add(new TokenStub("metadata.google.internal", 80, MetadataPath, Metadata: true));
        transforms.Stubs.Add(new TokenStub("169.254.169.254", 80, MetadataPath, Metadata: true));
    }
}
