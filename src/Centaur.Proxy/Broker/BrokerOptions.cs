using System.Globalization;
using Centaur.Proxy.Hosting;

namespace Centaur.Proxy.Broker;

/// <summary>How the broker runs, from its command line.</summary>
sealed record BrokerOptions
{
    public required string SecretsFolder { get; init; }

    public required string ControlSocket { get; init; }

    public required string FetchSocket { get; init; }

    /// <summary>The uid to become after the sockets are bound; null to stay.</summary>
    public uint? User { get; init; }

    /// <summary>How old a value may grow before it is read again.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How old a value may grow while its source does not answer.</summary>
    public TimeSpan MaxStale { get; init; } = TimeSpan.FromMinutes(15);

    public static BrokerOptions Parse(IReadOnlyList<string> args)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i += 2)
        {
            if (args[i] is not ("--secrets-folder" or "--control-socket" or "--fetch-socket" or "--user" or "--ttl"))
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
            TimeToLive = given.TryGetValue("--ttl", out var ttl) ? TimeSpan.FromSeconds(Number(ttl, "--ttl")) : TimeSpan.FromSeconds(60),
        };
    }

    static string Required(Dictionary<string, string> given, string name) =>
        given.TryGetValue(name, out var value) ? Path.GetFullPath(value) : throw new UsageException($"broker needs {name}");

    static uint Number(string text, string name) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"{name} must be a number, not \"{text}\"");
}
