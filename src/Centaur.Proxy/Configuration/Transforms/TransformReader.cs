using System.Globalization;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Collects rules, secrets and transforms from the <c>transforms</c> list; each entry has a reader of its own.</summary>
/// <param name="folder">The file's folder, which relative paths begin at.</param>
/// <param name="largestBody">The largest body that is held whole for a transform, in bytes.</param>
/// <param name="sniOnly">TLS is not looked into.</param>
sealed class TransformReader(string folder, long largestBody, bool sniOnly)
{
    public List<EgressRule> Rules { get; } = [];

    public List<SecretGrant> Grants { get; } = [];

    public List<TransformConfig> Transforms { get; } = [];

    public Dictionary<string, LocalSecret> Sources { get; } = new(StringComparer.Ordinal);

    public void Read(YamlMap transform)
    {
        var name = transform.Required("name");
        var config = transform.Map("config");
        if (ForeignKeys.ReadTransform(transform, name))
        {
            transform.Done();
            return;
        }

        Action<YamlMap>? reader = name switch
        {
            "allowlist" => map => AllowlistReader.Read(map, Rules),
            "secrets" => new SecretsReader(this).Read,
            "header_allowlist" => map => HeaderAllowlistReader.Read(map, this),
            "oauth_token" => new OAuthTokenReader(this).Read,
            "gcp_auth" => new GcpAuthReader(this).Read,
            "hmac_sign" => new HmacSignReader(this, largestBody).Read,
            _ => null,
        };
        if (reader is null && name.Length > 0)
            transform.Error($"there is no transform \"{name}\"; known are allowlist, secrets, header_allowlist, oauth_token, gcp_auth and hmac_sign");
        else if (reader is not null && config is null)
            transform.Error("needs \"config\"");
        else if (reader is not null)
            reader(config!);
        if (sniOnly)
            RefuseInside(transform, name);
        config?.Done();
        transform.Done();
    }

    /// <summary>Takes a transform, and says what is wrong with it at its place in the file.</summary>
    public void Add(YamlMap at, TransformConfig transform)
    {
        foreach (var problem in transform.Problems())
            at.Error(problem);
        Transforms.Add(transform);
    }

    /// <summary>Reads where a value comes from, and gives it a name of its own.</summary>
    public string AddSource(YamlMap map, string key)
    {
        var source = ReadSource(map, key);
        var name = NameOf(source);
        while (!Sources.TryAdd(name, source))
            name += "'";
        return name;
    }

    /// <summary>Reads where a value comes from; the same source named twice is one.</summary>
    /// <param name="map">The mapping that holds <paramref name="key"/>.</param>
    /// <param name="key">The source's key, which is its role.</param>
    /// <param name="role">The role, where it is not the key.</param>
    /// <param name="confidential">False for names and identities.</param>
    public SourceUse UseSource(YamlMap map, string key, string? role = null, bool confidential = true)
    {
        var source = ReadSource(map, key);
        return Use(source, role ?? key, confidential);
    }

    /// <summary>A file as a source, named by its path alone.</summary>
    public SourceUse UseFile(string path, string role) => Use(LocalSecretReader.File(Path.Combine(folder, path)), role, confidential: true);

    void RefuseInside(YamlMap transform, string name)
    {
        if (name.Length > 0 && name != "allowlist")
            transform.Error($"{name} works inside of TLS, which tls.mode sni-only never looks into; use mitm, or take it away");
        foreach (var rule in Rules.Where(rule => rule.Name.StartsWith(transform.Where + ".", StringComparison.Ordinal) && (rule.Methods.Count > 0 || rule.Paths.Count > 0)))
            transform.Error($"{rule.Name} names methods or paths, which cannot be seen with tls.mode sni-only; use mitm, or allow the whole host");
    }

    SourceUse Use(LocalSecret source, string role, bool confidential)
    {
        var name = NameOf(source);
        while (!Sources.TryAdd(name, source) && Sources[name] != source)
            name += "'";
        return new SourceUse(role, name, confidential);
    }

    static string NameOf(LocalSecret source) => LocalSecretReader.NameOf(source.Source);

    LocalSecret ReadSource(YamlMap map, string key)
    {
        if (map.Map(key) is { } source)
            return LocalSecretReader.ReadSource(source, folder);
        map.Error($"needs \"{key}\"");
        return LocalSecretReader.Nothing;
    }
}
