using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>header_allowlist</c>: the headers that a client may send.</summary>
static class HeaderAllowlistReader
{
    public static void Read(YamlMap config, TransformReader transforms) =>
        transforms.Add(config, new HeaderAllowlistConfig { Name = config.Where, Headers = config.Texts("headers"), Rules = TransformRules.Read(config) });
}
