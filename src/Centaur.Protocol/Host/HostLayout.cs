using System.Security.Cryptography;
using System.Text;

namespace Centaur.Protocol.Host;

/// <summary>
/// Where everything of one Centaur on one machine lies. Pure path arithmetic: command line and server compute the same places from the same home.
/// <see cref="Home"/> is what must survive a reboot, <see cref="Runtime"/> is a short folder for sockets (a socket's path has 107 bytes at most).
/// As root both are 0711, because Postgres, broker and jails run under users of their own below them; as an ordinary user both are 0700.
/// </summary>
public sealed class HostLayout
{
    /// <summary>The host's uid and gid of the broker where it is started by root; it owns <see cref="SecretsFolder"/> and <see cref="BrokerFolder"/>.</summary>
    public const int BrokerUid = 199_000;

    /// <summary>The first of the uids that sandboxes get where they are started by root.</summary>
    public const int FirstSandboxUid = 200_000;

    /// <summary>The operating system's user under which root starts Postgres.</summary>
    public const string PostgresUser = "postgres";

    /// <summary>The database, and the role that owns it.</summary>
    public const string DatabaseName = "centaur";

    /// <summary>Names the socket <c>.s.PGSQL.5432</c>; Postgres has no TCP listener.</summary>
    public const int PostgresPort = 5432;

    /// <summary>In the folder of a sandbox's keeper: the audit of its proxy.</summary>
    public const string AuditFileName = "audit.ndjson";

    const int LongestRuntime = 56;

    public HostLayout(string home, string runtime)
    {
        Home = home;
        Runtime = runtime;
    }

    public string Home { get; }
    public string Runtime { get; }

    /// <summary>The configuration file that is read where <c>CENTAUR_CONFIG</c> names no other; it need not exist.</summary>
    public string ConfigFile => Path.Combine(Home, "centaur.yaml");

    /// <summary>Held (flock) by whoever brings programs up or down.</summary>
    public string UpLockFile => Path.Combine(Home, "up.lock");

    // Postgres.
    public string PostgresData => Path.Combine(Home, "postgres");
    public string PostgresSocketFolder => Path.Combine(Runtime, "pg");
    public string PostgresLog => Path.Combine(LogsFolder, "postgres.log");

    // The broker. Its folders are 0700 and its own.
    public string SecretsFolder => Path.Combine(Home, "secrets");
    public string BrokerFolder => Path.Combine(Runtime, "broker");
    public string BrokerControlSocket => Path.Combine(BrokerFolder, "control.sock");
    public string BrokerFetchSocket => Path.Combine(BrokerFolder, "fetch.sock");
    public string BrokerLog => Path.Combine(LogsFolder, "broker.log");

    /// <summary>A <see cref="ProcessMark"/>, written by whoever started the broker.</summary>
    public string BrokerPidFile => Path.Combine(Home, "broker.json");

    // The server.
    /// <summary>The first admin key (0600), made by the server at its first start.</summary>
    public string BootstrapKeyFile => Path.Combine(Home, "admin.key");

    /// <summary>The key that signs sandbox tokens (0600), made once by the server.</summary>
    public string SigningKeyFile => Path.Combine(Home, "signing.key");

    /// <summary>A <see cref="ServerState"/>, written by the server once it listens and removed when it stops.</summary>
    public string ServerStateFile => Path.Combine(Home, "server.json");

    /// <summary>A <see cref="ProcessMark"/>, written by whoever started the server.</summary>
    public string ServerPidFile => Path.Combine(Home, "server-process.json");
    public string ServerLog => Path.Combine(LogsFolder, "server.log");

    /// <summary>The listener for sandboxes.</summary>
    public string SandboxApiSocket => Path.Combine(Runtime, "sandbox-api.sock");

    // Sandboxes, threads, harnesses.
    /// <summary>State of each sandbox's keeper: <c>SandboxesFolder/ID/</c>.</summary>
    public string SandboxesFolder => Path.Combine(Home, "sandboxes");

    /// <summary>What the sandbox's proxy has recorded. The keeper makes it; it outlives the sandbox.</summary>
    public string AuditFile(string sandboxId) => Path.Combine(SandboxesFolder, sandboxId, AuditFileName);

    /// <summary>Sockets of each sandbox's keeper: <c>SandboxesRuntime/ID/</c>.</summary>
    public string SandboxesRuntime => Path.Combine(Runtime, "sbx");

    /// <summary>Homes and workspaces: <c>ThreadsFolder/ID/</c>.</summary>
    public string ThreadsFolder => Path.Combine(Home, "threads");

    /// <summary>Repository bundles and other uploads on their way into a jail.</summary>
    public string UploadsFolder => Path.Combine(Home, "uploads");

    /// <summary>Installed harness CLIs: <c>HarnessesFolder/NAME/VERSION/</c>.</summary>
    public string HarnessesFolder => Path.Combine(Home, "harnesses");

    // The demo model.
    /// <summary>
    /// A <see cref="DemoModelState"/>: the demo model that runs, or, where its process is no more, the one that the next start brings back on its port.
    /// </summary>
    public string DemoModelFile => Path.Combine(Home, "demo-model.json");
    public string DemoModelLog => Path.Combine(LogsFolder, "demo-model.log");

    public string LogsFolder => Path.Combine(Home, "logs");

    /// <summary>The connection string of the embedded Postgres.</summary>
    public string EmbeddedDatabaseUrl =>
        $"Host={PostgresSocketFolder};Port={PostgresPort};Username={DatabaseName};Database={DatabaseName}";

    /// <summary>Finds home and runtime folder the way every program does.</summary>
    /// <param name="variable">Reads an environment variable; null or empty means unset.</param>
    /// <param name="uid">The effective user.</param>
    public static HostLayout Find(Func<string, string?> variable, uint uid)
    {
        var home = Set(variable("CENTAUR_HOME")) ?? (uid == 0 ? "/var/lib/centaur" : Path.Combine(DataFolder(variable), "centaur"));
        home = Path.TrimEndingDirectorySeparator(Path.GetFullPath(home));
        return new HostLayout(home, RuntimeOf(home, variable, uid));
    }

    /// <summary>The runtime folder that belongs to a home: eight hexadecimal digits of the home's path, so that two homes never share sockets.</summary>
    public static string RuntimeOf(string home, Func<string, string?> variable, uint uid)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)).AsSpan(0, 4));
        if (uid == 0)
            return $"/run/centaur/{name}";

        var own = Set(variable("XDG_RUNTIME_DIR")) is { } xdg && Path.IsPathRooted(xdg) ? Path.Combine(xdg, "centaur", name) : null;
        return own is { Length: <= LongestRuntime } ? own : $"/tmp/centaur-{uid}/{name}";
    }

    static string DataFolder(Func<string, string?> variable) =>
        Set(variable("XDG_DATA_HOME")) is { } xdg && Path.IsPathRooted(xdg) ? xdg : Path.Combine(Set(variable("HOME")) ?? "/", ".local", "share");

    static string? Set(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
