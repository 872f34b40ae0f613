using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A real <c>centaur-proxy --config</c> whose whole file is the test's. Its authority is <c>ca.pem</c>, its audit <c>audit.ndjson</c>, both beside the file.</summary>
sealed class ConfiguredProxy : IAsyncDisposable
{
    public const string Key = "management-key-0123456789";

    /// <summary>Kinds of listeners, as the program names them.</summary>
    public const string Tunnel = "http", Http = "direct http", Https = "direct https", Metrics = "metrics http", Management = "management http";

    const string Said = "Listening on ";

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-configured-");
    readonly TestAuthority authority = new();
    readonly ConcurrentQueue<string> errors = new();
    readonly ConcurrentDictionary<string, TaskCompletionSource<IPEndPoint>> listeners = new();
    readonly TaskCompletionSource ended = new();
    Process process = null!;

    public string Folder => folder.FullName;

    public string Errors => string.Join('\n', errors);

    public string AuthorityPem => authority.Pem;

    public string AuditText => File.ReadAllText(Path.Combine(Folder, "audit.ndjson"));

    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="yaml">The file.</param>
    /// <param name="files">More files, by name.</param>
    /// <param name="environment">Variables of the program; <c>{folder}</c> is where its files are.</param>
    public static async Task<ConfiguredProxy> Start(string yaml, IReadOnlyDictionary<string, string>? files = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var proxy = new ConfiguredProxy();
        await proxy.Write("ca.pem", proxy.authority.PemWithKey);
        foreach (var (name, text) in files ?? new Dictionary<string, string>())
            await proxy.Write(name, text);
        await proxy.Write("proxy.yaml", yaml);
        proxy.Launch(environment ?? new Dictionary<string, string>());
        return proxy;
    }

    public Task Write(string name, string text) => File.WriteAllTextAsync(Path.Combine(Folder, name), text, Token);

    /// <summary>Where a listener is, once it listens.</summary>
    public async Task<IPEndPoint> Address(string kind)
    {
        var address = listeners.GetOrAdd(kind, _ => new TaskCompletionSource<IPEndPoint>());
        await Task.WhenAny(address.Task, ended.Task).WaitAsync(Token);
        return address.Task.IsCompleted ? await address.Task : throw new InvalidOperationException("The program ended: " + Errors);
    }

    public async Task<int> PostgresPort()
    {
        const string said = Said + "postgres 127.0.0.1:";
        await Says(said);
        var line = errors.First(line => line.Contains(said, StringComparison.Ordinal));
        return int.Parse(line[(line.IndexOf(said, StringComparison.Ordinal) + said.Length)..].TrimEnd('.'), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>What the program said when it would not start.</summary>
    public async Task<(int Code, string Text)> End()
    {
        await ended.Task.WaitAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, Errors);
    }

    public async Task<RawClient> Connect(string kind, string? trusted = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(await Address(kind), Token);
        return RawClient.Over(socket, trusted ?? authority.Pem);
    }

    /// <summary>A client of the tunnel.</summary>
    public async Task<HttpClient> Client()
    {
        var handler = new SocketsHttpHandler { UseProxy = true, Proxy = new WebProxy($"http://{await Address(Tunnel)}"), AllowAutoRedirect = false };
        handler.SslOptions.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authority.Pem);
        return new HttpClient(handler);
    }

    public async Task<(int Status, string Body, HttpResponseHeaders Headers)> Manage(HttpMethod method, string path, string? key)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var message = new HttpRequestMessage(method, $"http://{await Address(Management)}{path}");
        if (key is not null)
            message.Headers.TryAddWithoutValidation("Authorization", key);
        using var answer = await client.SendAsync(message, Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Token), answer.Headers);
    }

    public async Task<(int Status, string Body)> Reload(string yaml)
    {
        // It reads the file at its start too.
        await Address(Management);
        await Write("proxy.yaml", yaml);
        var (status, body, _) = await Manage(HttpMethod.Post, "/v1/reload", "Bearer " + Key);
        return (status, body);
    }

    public async Task HangUp()
    {
        using var kill = Process.Start("/bin/kill", ["-HUP", $"{process.Id}"]);
        await kill.WaitForExitAsync(Token);
    }

    /// <summary>Waits for a line of the log.</summary>
    public async Task Says(string text)
    {
        while (!Errors.Contains(text, StringComparison.Ordinal))
        {
            if (ended.Task.IsCompleted)
                throw new InvalidOperationException("The program ended: " + Errors);
            await Task.Delay(5, Token);
        }
    }

    /// <summary>The first record of the audit of this kind, as soon as it is there.</summary>
    public async Task<JsonElement> Record(string kind)
    {
        while (true)
        {
            foreach (var line in AuditText.Split('\n', StringSplitOptions.RemoveEmptyEntries).SkipLast(AuditText.EndsWith('\n') ? 0 : 1))
            {
                var record = JsonElement.Parse(line);
                if (record.GetProperty("kind").GetString() == kind)
                    return record;
            }

            await Task.Delay(5, Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        authority.Dispose();
        folder.Delete(recursive: true);
    }

    void Launch(IReadOnlyDictionary<string, string> environment)
    {
        process = ProxyProgram.Start(["--config", Path.Combine(Folder, "proxy.yaml")], environment: environment.ToDictionary(pair => pair.Key, pair => pair.Value.Replace("{folder}", Folder, StringComparison.Ordinal)));
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not { } text)
            {
                ended.TrySetResult();
                return;
            }

            errors.Enqueue(text);
            var at = text.IndexOf(Said, StringComparison.Ordinal);
            if (at < 0)
                return;
            var listening = text[(at + Said.Length)..].TrimEnd('.').Split("://");
            if (listening.Length == 2)
                listeners.GetOrAdd(listening[0], _ => new TaskCompletionSource<IPEndPoint>()).TrySetResult(IPEndPoint.Parse(listening[1]));
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }
}
