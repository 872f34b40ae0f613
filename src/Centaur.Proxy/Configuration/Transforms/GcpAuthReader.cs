using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>gcp_auth</c>: tokens of a Google service account.</summary>
sealed class GcpAuthReader(TransformReader transforms)
{
    public void Read(YamlMap config)
    {
        config.Refuse("credentials_provider", "is not supported: use \"keyfile\" or \"keyfile_path\"");
        var path = config.Text("keyfile_path");
        if (path is not null == config.Has("keyfile"))
            config.Error("needs either \"keyfile\" or \"keyfile_path\"");
        var keyFile = config.Has("keyfile") ? transforms.UseSource(config, "keyfile") : transforms.UseFile(path ?? "", "keyfile");
        transforms.Add(config, new GcpAuthConfig
        {
            Name = config.Where,
            KeyFile = keyFile,
            Scopes = config.Texts("scopes"),
            Subject = config.Text("subject") ?? "",
            Rules = TransformRules.Read(config),
        });
    }
}
