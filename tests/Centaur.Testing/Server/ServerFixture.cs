using System.Net.Http.Headers;
using Centaur.Protocol.Host;
using Centaur.Server;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Centaur.Testing.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Centaur.Testing.Server;

/// <summary>
/// The whole server from its real composition root, on ports of its own, with a database of its own: a class fixture (<c>IClassFixture&lt;ServerFixture&gt;</c>), or made by hand with
/// <see cref="Start"/> where a test wants its own settings.
/// </summary>
public sealed class ServerFixture(PostgresServer postgres) : IAsyncLifetime
{
    readonly string home = Path.Combine("/tmp", $"centaur-test-{Guid.CreateVersion7():N}"[..32]);
    readonly List<HttpClient> clients = [];
    WebApplication? app;
    string? runtime;
    Dictionary<string, string> environment = [];

    /// <summary>Lines of YAML after the listeners, set before the start.</summary>
    public string Yaml { get; init; } = "";

    /// <summary>More variables of the environment, set before the start.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine's clock, set before the start.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public string ConnectionString { get; private set; } = "";

    public HostLayout Layout => Services.GetRequiredService<HostIdentity>().Layout;

    public IServiceProvider Services => app?.Services ?? throw new InvalidOperationException("The server is not started.");

    /// <summary>Calls the API with the first admin key.</summary>
    public HttpClient Api { get; private set; } = null!;

    /// <summary>Calls the listener for webhooks, without a key.</summary>
    public HttpClient Public { get; private set; } = null!;

    public async ValueTask InitializeAsync() => await Start(CancellationToken.None);

    /// <summary>Starts the server on a migrated database and waits until it is ready.</summary>
    public async Task Start(CancellationToken cancellationToken)
    {
        await postgres.EnsureTemplate(
            "centaur_template",
            async connection =>
            {
                await using var source = NpgsqlDataSource.Create(connection);
                await new Migrator(source).Run(cancellationToken);
            },
            cancellationToken);
        ConnectionString = await postgres.CreateDatabase("centaur_template", cancellationToken);
        Directory.CreateDirectory(home);
        await File.WriteAllTextAsync(Path.Combine(home, "centaur.yaml"), $"listen:\n  api: 127.0.0.1:0\n  public: 127.0.0.1:0\n{ListenYaml}log: {{level: Warning}}\n{Yaml}", cancellationToken);
        // A worker would race with the test for what it queues; who wants one asks for it.
        environment = new Dictionary<string, string>(Variables) { ["CENTAUR_HOME"] = home, ["DATABASE_URL"] = ConnectionString };
        environment.TryAdd("EXECUTION_WORKER_CONCURRENCY", "0");
        await Launch(cancellationToken);
        await Services.GetRequiredService<Readiness>().Wait(cancellationToken);
        var key = (await File.ReadAllTextAsync(Layout.BootstrapKeyFile, cancellationToken)).Trim();
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>More lines of the <c>listen</c> section, each indented by two.</summary>
    public string ListenYaml { get; init; } = "";

    /// <summary>Stops the server and starts it again on the same home and database.</summary>
    public async Task Restart(CancellationToken cancellationToken)
    {
        await Stop();
        await Launch(cancellationToken);
        await Services.GetRequiredService<Readiness>().Wait(cancellationToken);
        var key = (await File.ReadAllTextAsync(Layout.BootstrapKeyFile, cancellationToken)).Trim();
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Stops the server, as SIGTERM does.</summary>
    public async Task Stop()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }

        app = null;
    }

    /// <summary>A client of the API without a key.</summary>
    public HttpClient Client(string? key = null)
    {
        var client = Own(new HttpClient(new SocketsHttpHandler()) { BaseAddress = Api.BaseAddress });
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A client of the listener for sandboxes.</summary>
    public HttpClient Sandbox(string? token = null)
    {
        var path = Layout.SandboxApiSocket;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(path), cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = Own(new HttpClient(handler) { BaseAddress = new Uri("http://127.0.0.1:38000") });
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
            client.Dispose();
        await Stop();
        foreach (var folder in new[] { home, runtime }.OfType<string>().Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    async Task Launch(CancellationToken cancellationToken)
    {
        app = Program.Compose(Settings.Load(environment, Environment.IsPrivilegedProcess), Clock);
        runtime = Layout.Runtime;
        await app.StartAsync(cancellationToken);
        var listeners = Services.GetRequiredService<BoundListeners>();
        Api = Own(new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(listeners.Api) });
        Public = Own(new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(listeners.Public!) });
    }

    HttpClient Own(HttpClient client)
    {
        clients.Add(client);
        return client;
    }
}
