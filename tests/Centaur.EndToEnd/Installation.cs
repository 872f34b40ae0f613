using System.Net.Http.Headers;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>
/// A whole Centaur in a folder of its own: embedded Postgres, broker, server, and the scripted model under the name api.openai.com with a real key that only
/// the broker holds. Gone, with all its processes, when the test class is done.
/// </summary>
public class Installation : IAsyncLifetime
{
    public const string ModelHost = "api.openai.com";

    ScriptedModel? model;
    readonly List<HttpClient> clients = [];

    internal ScriptedModel Model => model ?? throw new InvalidOperationException("Not started.");

    /// <summary>Speaks to the server that was started last; a server that starts anew has another port.</summary>
    internal HttpClient Http => clients[^1];

    public string Home { get; } = Path.Combine(Path.GetTempPath(), "centaur-e2e-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4)));

    internal HostLayout Layout => HostLayout.Find(name => name == "CENTAUR_HOME" ? Home : Environment.GetEnvironmentVariable(name), (uint)(Environment.IsPrivilegedProcess ? 0 : 1000));

    internal ServerState Server => JsonSerializer.Deserialize(File.ReadAllText(Layout.ServerStateFile), ProtocolJson.Default.ServerState)!;

    /// <summary>What the operator's shell holds besides.</summary>
    internal Dictionary<string, string> Variables { get; } = [];

    /// <summary>Lines that a test class adds to the configuration.</summary>
    protected virtual string MoreConfiguration => "";

    public virtual async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        Directory.CreateDirectory(Home);
        var harnesses = Path.Combine(Programs.Root, "artifacts", "harnesses");
        Directory.CreateDirectory(harnesses);
        Directory.CreateSymbolicLink(Layout.HarnessesFolder, harnesses);
        model = await ScriptedModel.Start(Path.Combine(Home, "model"), ModelHost, limit.Token);
        await File.WriteAllTextAsync(Layout.ConfigFile, Configuration(), limit.Token);
        await SetModelKey(limit.Token);
        await Up(limit.Token);
    }

    /// <summary>Brings up what is not up, as a user would after a crash.</summary>
    internal async Task Up(CancellationToken cancellationToken)
    {
        (await Cli(["up", "--detach"], null, cancellationToken)).Succeeded();
        await Meet(cancellationToken);
    }

    /// <summary>Brings up a server that kills itself at a crash point, which may be one of its start.</summary>
    internal async Task UpToDieAt(string crashPoint, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, string>(environment) { ["CENTAUR_HOME"] = Home, ["CENTAUR_CRASH_POINT"] = crashPoint };
        if ((await Programs.Run(Programs.Cli, ["up", "--detach"], variables, null, cancellationToken)).ExitCode == 0)
            await Meet(cancellationToken);
    }

    async Task Meet(CancellationToken cancellationToken)
    {
        // Whoever still reads from the server before keeps its client.
        var http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
        {
            BaseAddress = new Uri(Server.Api),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Layout.BootstrapKeyFile, cancellationToken)).Trim());
        clients.Add(http);
    }

    /// <summary>The server's process, or null where none runs.</summary>
    internal int? ServerPid
    {
        get
        {
            try
            {
                var mark = JsonSerializer.Deserialize(File.ReadAllText(Layout.ServerPidFile), ProtocolJson.Default.ProcessMark)!;
                return Directory.Exists($"/proc/{mark.Pid}") && !File.ReadAllText($"/proc/{mark.Pid}/stat").Contains(") Z ", StringComparison.Ordinal) ? mark.Pid : null;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    internal int BrokerPid => JsonSerializer.Deserialize(File.ReadAllText(Layout.BrokerPidFile), ProtocolJson.Default.ProcessMark)!.Pid;

    internal Task<Finished> Cli(IEnumerable<string> arguments, string? input, CancellationToken cancellationToken) =>
        Programs.Run([.. Surroundings, Programs.Cli, .. arguments], new Dictionary<string, string>(Variables) { ["CENTAUR_HOME"] = Home }, input, cancellationToken);

    /// <summary>The words before every program's own, where it is to see another machine than this one.</summary>
    protected virtual IReadOnlyList<string> Surroundings => [];

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await Cli(["down"], null, limit.Token);
        clients.ForEach(c => c.Dispose());
        if (model is not null)
            await model.DisposeAsync();
        Directory.Delete(Layout.HarnessesFolder);
        Directory.Delete(Home, recursive: true);
        if (Directory.Exists(Layout.Runtime))
            Directory.Delete(Layout.Runtime, recursive: true);
    }

    /// <summary>Leads the model's name to the scripted one.</summary>
    protected virtual string Egress =>
        $"""
        egress:
          map:
            - host: {ModelHost}
              port: 443
              address: 127.0.0.1
              target_port: {Model.Port}
              ca_file: {Model.CaFile}
              secrets: [OPENAI_API_KEY]
        """;

    protected virtual async Task SetModelKey(CancellationToken cancellationToken) =>
        (await Cli(["secrets", "set", "OPENAI_API_KEY"], Model.Key, cancellationToken)).Succeeded();

    string Configuration() =>
        $"""
        listen:
          api: 127.0.0.1:0
          public: 127.0.0.1:0
        worker:
          lease_seconds: 2
          renew_seconds: 0.5
        {Egress}
        {MoreConfiguration}
        """;
}
