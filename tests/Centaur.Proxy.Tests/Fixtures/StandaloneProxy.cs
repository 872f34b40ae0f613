using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A real <c>centaur-proxy --config</c> with a file of its own.</summary>
sealed class StandaloneProxy : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-standalone-");
    readonly TestAuthority authority = new();
    readonly ConcurrentQueue<string> errors = new();
    readonly TaskCompletionSource<string> listening = new();
    Process process = null!;

    public string Folder => folder.FullName;

    public string Errors => string.Join('\n', errors);

    public string AuditText => File.ReadAllText(Path.Combine(Folder, "audit.ndjson"));

    string Address { get; set; } = "";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="transforms">The list of transforms as YAML, each line indented by two; the vendor's hosts are allowed already.</param>
    /// <param name="maps">Names of the tests' hosts, each with its origin and the secrets that it may receive.</param>
    /// <param name="environment">Variables, and files where the name begins with a slash: <c>/key.json</c> lies beside the configuration.</param>
    /// <param name="proxyKeys">More keys of <c>proxy</c>, in flow style with a comma before.</param>
    public static async Task<StandaloneProxy> Start(
        string transforms, IEnumerable<(string Host, Origin Origin, string Secrets)> maps, IReadOnlyDictionary<string, string> environment, string proxyKeys = "")
    {
        var proxy = new StandaloneProxy();
        await proxy.Write("ca.pem", proxy.authority.PemWithKey);
        foreach (var (name, value) in environment.Where(pair => pair.Key[0] == '/'))
            await proxy.Write(name[1..], value);
        var entries = new List<string>();
        foreach (var (host, origin, secrets) in maps)
        {
            await proxy.Write(host + ".pem", origin.AuthorityPem);
            foreach (var port in new[] { 443, 80 })
                entries.Add($"  - {{ host: {host}, port: {port}, address: 127.0.0.1, target_port: {origin.Port}, ca_cert: {host}.pem, secrets: [{secrets}] }}");
        }

        await proxy.Write("proxy.yaml", $$"""
            proxy: { tunnel_listen: "127.0.0.1:0"{{proxyKeys}} }
            tls: { ca_cert: ca.pem, ca_key: ca.pem }
            audit: { file: audit.ndjson }
            transforms:
              - { name: allowlist, config: { domains: ["*.vendor.test", oauth2.googleapis.com, metadata.google.internal] } }
            {{transforms}}
            map:
            {{string.Join('\n', entries)}}
            """);
        proxy.Launch(environment);
        proxy.Address = await proxy.listening.Task.WaitAsync(Token);
        return proxy;
    }

    public Task Write(string name, string text) => File.WriteAllTextAsync(Path.Combine(Folder, name), text, Token);

    public HttpClient Client()
    {
        var handler = new SocketsHttpHandler { UseProxy = true, Proxy = new WebProxy(Address), AllowAutoRedirect = false };
        handler.SslOptions.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authority.Pem);
        return new HttpClient(handler);
    }

    /// <summary>The intents of the audit, which name the secrets.</summary>
    public List<JsonElement> Intents() =>
        [.. AuditText.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).Where(record => record.GetProperty("kind").GetString() == "intent")];

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
        process = ProxyProgram.Start(
            ["--config", Path.Combine(Folder, "proxy.yaml")],
            environment: environment.Where(pair => pair.Key[0] != '/').ToDictionary(pair => pair.Key, pair => pair.Value));
        process.ErrorDataReceived += (_, line) =>
        {
            errors.Enqueue(line.Data ?? "");
            if (line.Data is null)
                listening.TrySetException(new InvalidOperationException("The program ended: " + Errors));
            else if (line.Data.Contains("Listening on ", StringComparison.Ordinal))
                listening.TrySetResult(line.Data[line.Data.IndexOf("http", StringComparison.Ordinal)..].TrimEnd('.').Replace("https:", "http:", StringComparison.Ordinal));
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }
}
