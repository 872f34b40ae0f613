using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Configuration;

/// <summary>Reads where a value of the stand-alone proxy comes from, in iron-proxy's keys. What Vault and 1Password are logged in to with is the environment's.</summary>
static class LocalSecretReader
{
    static readonly CacheTerms Usual = new(TimeSpan.FromMinutes(1));

    /// <summary>What iron-proxy means by an empty <c>ttl</c>: the value is not read again.</summary>
    static readonly TimeSpan Forever = TimeSpan.FromDays(3650);

    /// <summary>Where the file is wrong, and is said to be.</summary>
    public static readonly LocalSecret Nothing = new(new SecretSource(""), Usual);

    static readonly string[] Known =
        [SecretSourceTypes.Environment, SecretSourceTypes.File, SecretSourceTypes.Vault, SecretSourceTypes.OnePassword, SecretSourceTypes.OnePasswordConnect];

    /// <summary>The value of a variable.</summary>
    public static LocalSecret Variable(string name) => new(new SecretSource(SecretSourceTypes.Environment, name), Usual);

    /// <summary>What a file holds.</summary>
    public static LocalSecret File(string path) => new(new SecretSource(SecretSourceTypes.File, path), Usual);

    public static LocalSecret ReadSource(YamlMap source, string folder)
    {
        var type = source.Required("type");
        var read = new SecretSource(type, Reference(source, type, folder), source.Text("json_key"));
        var terms = Usual with { TimeToLive = Duration(source, "ttl", Usual.TimeToLive), LongestPause = Duration(source, "failure_ttl", Usual.LongestPause) };
        if (!Known.Contains(type))
            source.Error($"there is no source type \"{type}\" here; known are {string.Join(", ", Known)}");
        else if (type != SecretSourceTypes.File && read.Reference is { Length: > 0 } && SourceForm.Problem(read) is { } problem)
            source.Error(problem);
        source.Done();
        return new LocalSecret(read, terms);
    }

    /// <summary>What <c>map</c> and the audit call a secret, which has no name of its own in the file.</summary>
    public static string NameOf(SecretSource source) => source.Type switch
    {
        SecretSourceTypes.File => Path.GetFileName(source.Reference) ?? "",
        SecretSourceTypes.Vault => source.Reference!.Replace("//", "/", StringComparison.Ordinal) + (source.JsonKey is { } key ? "#" + key : ""),
        _ => source.Reference ?? "",
    };

    static string Reference(YamlMap source, string type, string folder)
    {
        switch (type)
        {
            case SecretSourceTypes.Environment:
                return source.Required("var");
            case SecretSourceTypes.File:
                return Path.Combine(folder, source.Required("path"));
            case SecretSourceTypes.OnePassword or SecretSourceTypes.OnePasswordConnect:
                return source.Required("secret_ref");
            case SecretSourceTypes.Vault:
                if (source.Number("kv_version") is not (null or 2))
                    source.Refuse("kv_version", "must be 2: version 1 is not supported");
                var key = source.Text("key");
                return $"{source.Required("mount").Trim('/')}//{source.Required("path").Trim('/')}{(key is null ? "" : "#" + key)}";
            default:
                return "";
        }
    }

    static TimeSpan Duration(YamlMap source, string key, TimeSpan usual) => source.Text(key) is "" ? Forever : source.Duration(key) ?? usual;
}
