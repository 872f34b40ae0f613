using System.Net.Http.Headers;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.EndToEnd.Replicas;

/// <summary>A second host: a server, broker and sandboxes of its own, on the database of the first.</summary>
internal sealed class Replica : IAsyncDisposable
{
    readonly string home = Path.Combine(Path.GetTempPath(), "centaur-e2e-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4)));
    readonly Dictionary<string, string> environment;

    Replica(Installation first) =>
        environment = new Dictionary<string, string> { ["CENTAUR_HOME"] = home, ["DATABASE_URL"] = first.Layout.EmbeddedDatabaseUrl };

    public HttpClient Http { get; private set; } = null!;

    public int ServerPid => JsonSerializer.Deserialize(File.ReadAllText(Layout.ServerStateFile), ProtocolJson.Default.ServerState)!.Process.Pid;

    HostLayout Layout => HostLayout.Find(name => name == "CENTAUR_HOME" ? home : Environment.GetEnvironmentVariable(name), (uint)(Environment.IsPrivilegedProcess ? 0 : 1000));

    public static async Task<Replica> Start(Installation first, CancellationToken cancellationToken)
    {
        var replica = new Replica(first);
        Directory.CreateDirectory(replica.home);
        Directory.CreateSymbolicLink(replica.Layout.HarnessesFolder, Path.Combine(Programs.Root, "artifacts", "harnesses"));
        File.Copy(first.Layout.ConfigFile, replica.Layout.ConfigFile);
        // Tokens that one server signs must be good at the other.
        File.Copy(Path.Combine(first.Home, "signing.key"), Path.Combine(replica.home, "signing.key"));
        (await replica.Cli(["up", "--detach"], null, cancellationToken)).Succeeded();
        (await replica.Cli(["secrets", "set", "OPENAI_API_KEY"], first.Model.Key, cancellationToken)).Succeeded();
        var state = JsonSerializer.Deserialize(await File.ReadAllTextAsync(replica.Layout.ServerStateFile, cancellationToken), ProtocolJson.Default.ServerState)!;
        replica.Http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(state.Api), Timeout = TimeSpan.FromSeconds(30) };
        replica.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(replica.Layout.BootstrapKeyFile, cancellationToken)).Trim());
        return replica;
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await Cli(["down"], null, limit.Token);
        Http?.Dispose();
        Directory.Delete(Layout.HarnessesFolder);
        Directory.Delete(home, recursive: true);
        if (Directory.Exists(Layout.Runtime))
            Directory.Delete(Layout.Runtime, recursive: true);
    }

    Task<Finished> Cli(IEnumerable<string> arguments, string? input, CancellationToken cancellationToken) => Programs.Run(Programs.Cli, arguments, environment, input, cancellationToken);
}
