using System.Diagnostics;
using System.Globalization;
using System.Text;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Egress;

/// <summary>A proxy under load: ours with fifty rules, audit, scan and a swapped secret; mitmproxy as it comes; nginx with the key in its configuration.</summary>
internal sealed class BenchProxy : IAsyncDisposable
{
    const int Rules = 50;

    readonly Process process;

    BenchProxy(Process process, Route route, TimeSpan start) => (this.process, Route, StartMilliseconds) = (process, route, start.TotalMilliseconds);

    public Route Route { get; }

    /// <summary>From the start of its process until it can be connected to.</summary>
    public double StartMilliseconds { get; }

    public double ResidentMebibytes =>
        double.Parse(
            File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024;

    /// <param name="program">The proxy.</param>
    /// <param name="home">Where the bench keeps its files.</param>
    /// <param name="origin">What its map leads to.</param>
    /// <param name="originAuthority">Whom it trusts there.</param>
    /// <param name="cancellationToken">Ends the wait for it.</param>
    /// <param name="name">Of its own folder.</param>
    public static async Task<BenchProxy> Ours(
        string program, string home, BenchOrigin origin, BenchAuthority originAuthority, CancellationToken cancellationToken, string name = "ours")
    {
        var folder = Directory.CreateDirectory(Path.Combine(home, name)).FullName;
        await File.WriteAllTextAsync(Path.Combine(home, "origin-ca.pem"), originAuthority.Pem, cancellationToken);
        using var authority = new BenchAuthority();
        await File.WriteAllTextAsync(Path.Combine(folder, "ca.pem"), authority.PemWithKey, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "origin-ca.pem"), originAuthority.Pem, cancellationToken);
        var path = Path.Combine(folder, "proxy.yaml");
        await File.WriteAllTextAsync(path, Configuration(origin), cancellationToken);
        var start = new ProcessStartInfo(program, ["--config", path]) { UseShellExecute = false, RedirectStandardError = true };
        start.Environment["BENCH_KEY"] = "sk-bench-real-key-0123456789abcdef";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var begun = Stopwatch.GetTimestamp();
        var started = Process.Start(start)!;
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        started.ErrorDataReceived += (_, said) =>
        {
            if (said.Data is null)
                address.TrySetException(new InvalidOperationException("The proxy ended at its start."));
            else if (said.Data.Contains("Listening on ", StringComparison.Ordinal))
                address.TrySetResult(said.Data[said.Data.IndexOf("http", StringComparison.Ordinal)..].TrimEnd('.'));
        };
        started.BeginErrorReadLine();
        var port = new Uri(await address.Task.WaitAsync(cancellationToken)).Port;
        return new BenchProxy(started, new Route("centaur-proxy", port, authority.Pem), Stopwatch.GetElapsedTime(begun));
    }

    /// <param name="folder">Where the origin's authority is.</param>
    /// <param name="http2">Whether it speaks HTTP/2 too.</param>
    /// <param name="cancellationToken">Ends the wait for it.</param>
    /// <returns>Null where mitmproxy is not installed.</returns>
    public static async Task<BenchProxy?> Mitm(string folder, bool http2, CancellationToken cancellationToken)
    {
        if (Programs.Find("mitmdump") is not { } program)
            return null;
        var own = Path.Combine(folder, http2 ? "mitm-2" : "mitm");
        Directory.CreateDirectory(own);
        var port = BenchOrigin.FreePort();
        var begun = Stopwatch.GetTimestamp();
        var started = Programs.Start(
            program,
            ["-q", "--listen-host", "127.0.0.1", "--listen-port", $"{port}", "--set", $"confdir={own}", "--set", $"ssl_verify_upstream_trusted_ca={folder}/origin-ca.pem", "--set", $"http2={(http2 ? "true" : "false")}"]);
        await BenchOrigin.Answers(port, started, cancellationToken);
        var took = Stopwatch.GetElapsedTime(begun);
        return new BenchProxy(started, new Route("mitmproxy", port, await File.ReadAllTextAsync(Path.Combine(own, "mitmproxy-ca-cert.pem"), cancellationToken)), took);
    }

    /// <returns>Null where nginx is not installed.</returns>
    public static async Task<BenchProxy?> Nginx(string folder, BenchOrigin origin, BenchAuthority originAuthority, CancellationToken cancellationToken)
    {
        if (BenchNginx.Program is not { } program)
            return null;
        var port = BenchOrigin.FreePort();
        var begun = Stopwatch.GetTimestamp();
        var started = await BenchNginx.Start(program, folder, "reverse", BenchNginx.Reverse(folder, origin, port), [port], cancellationToken);
        return new BenchProxy(started, new Route("nginx", 0, originAuthority.Pem) { ReversePort = port }, Stopwatch.GetElapsedTime(begun));
    }

    static string Configuration(BenchOrigin origin)
    {
        var text = new StringBuilder(
            """
            proxy: { tunnel_listen: "127.0.0.1:0" }
            tls: { ca_cert: ca.pem, ca_key: ca.pem }
            audit: { file: audit.ndjson }
            transforms:
              - name: allowlist
                config:
                  rules:

            """);
        for (var rule = 1; rule < Rules; rule++)
            text.Append(CultureInfo.InvariantCulture, $"        - {{ host: host-{rule}.vendor.test, methods: [GET, POST], paths: [/v1/*, /v2/*] }}\n");
        text.Append(CultureInfo.InvariantCulture, $"        - {{ host: {BenchOrigin.Host}, methods: [GET], paths: [/*], ports: [{string.Join(", ", origin.Ports)}] }}\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
              - name: secrets
                config:
                  secrets:
                    - source: { type: env, var: BENCH_KEY }
                      replace: { proxy_value: {{Route.Placeholder}}, match_headers: [Authorization] }
                      rules: [{ host: {{BenchOrigin.Host}} }]
            map:

            """);
        foreach (var port in origin.Ports)
            text.Append(CultureInfo.InvariantCulture, $"  - {{ host: {BenchOrigin.Host}, port: {port}, address: 127.0.0.1, target_port: {port}, ca_cert: origin-ca.pem, secrets: [BENCH_KEY] }}\n");
        return text.ToString();
    }

    public async ValueTask DisposeAsync() => await Programs.End(process);
}
