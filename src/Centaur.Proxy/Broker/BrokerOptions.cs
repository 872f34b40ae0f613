using System.Globalization;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Broker;

/// <summary>How the broker runs, from its command line.</summary>
sealed record BrokerOptions
{
    public required string SecretsFolder { get; init; }

    public required string ControlSocket { get; init; }

    public required string FetchSocket { get; init; }

    /// <summary>The file whose section <c>secrets</c> says where the sources of values are; null for none.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>The uid to become after the sockets are bound; null to stay.</summary>
    public uint? User { get; init; }

    /// <summary>How old a value may grow before it is read again, and while its source does not answer.</summary>
    public CacheTerms Terms { get; init; } = new(TimeSpan.FromSeconds(60));

    public static BrokerOptions Parse(IReadOnlyList<string> args)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i += 2)
        {
            if (args[i] is not ("--secrets-folder" or "--control-socket" or "--fetch-socket" or "--user" or "--ttl" or "--config"))
                throw new UsageException($"broker knows no {args[i]}; see --help");
            if (i + 1 == args.Count || !given.TryAdd(args[i], args[i + 1]))
                throw new UsageException($"{args[i]} needs exactly one value");
        }

        return new BrokerOptions
        {
            SecretsFolder = Required(given, "--secrets-folder"),
            ControlSocket = Required(given, "--control-socket"),
            FetchSocket = Required(given, "--fetch-socket"),
            User = given.TryGetValue("--user", out var user) ? Number(user, "--user") : null,
            ConfigFile = given.TryGetValue("--config", out var config) ? Path.GetFullPath(config) : null,
            Terms = new CacheTerms(TimeSpan.FromSeconds(given.TryGetValue("--ttl", out var ttl) ? Number(ttl, "--ttl") : 60)),
        };
    }

    static string Required(Dictionary<string, string> given, string name) =>
        given.TryGetValue(name, out var value) ? Path.GetFullPath(value) : throw new UsageException($"broker needs {name}");

    static uint Number(string text, string name) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"{name} must be a number, not \"{text}\"");
}
