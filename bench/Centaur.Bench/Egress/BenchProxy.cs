using System.Diagnostics;
using System.Globalization;
using System.Text;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Egress;

/// <summary>A proxy under load: ours with fifty rules, audit, scan and a swapped secret, or mitmproxy as it comes.</summary>
internal sealed class BenchProxy : IAsyncDisposable
{
    const int Rules = 50;

    readonly Process process;

    BenchProxy(Process process, Route route) => (this.process, Route) = (process, route);

    public Route Route { get; }

    public double ResidentMebibytes =>
        double.Parse(
            File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) / 1024;

    public static async Task<BenchProxy> Ours(string program, string folder, BenchOrigin origin, BenchAuthority originAuthority, CancellationToken cancellationToken)
    {
        using var authority = new BenchAuthority();
        await File.WriteAllTextAsync(Path.Combine(folder, "ca.pem"), authority.PemWithKey, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "origin-ca.pem"), originAuthority.Pem, cancellationToken);
        var path = Path.Combine(folder, "proxy.yaml");
        await File.WriteAllTextAsync(path, Configuration(origin), cancellationToken);
        var start = new ProcessStartInfo(program, ["--config", path]) { UseShellExecute = false, RedirectStandardError = true };
        start.Environment["BENCH_KEY"] = "sk-bench-real-key-0123456789abcdef";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
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
        return new BenchProxy(started, new Route("centaur-proxy", port, authority.Pem));
    }

    /// <returns>Null where mitmproxy is not installed.</returns>
    public static async Task<BenchProxy?> Mitm(string folder, CancellationToken cancellationToken)
    {
        if (Programs.Find("mitmdump") is not { } program)
            return null;
        var own = Path.Combine(folder, "mitm");
        Directory.CreateDirectory(own);
        var port = BenchOrigin.FreePort();
        var started = Programs.Start(
            program,
            ["-q", "--listen-host", "127.0.0.1", "--listen-port", $"{port}", "--set", $"confdir={own}", "--set", $"ssl_verify_upstream_trusted_ca={folder}/origin-ca.pem", "--set", "http2=false"]);
        await BenchOrigin.Answers(port, started, cancellationToken);
        return new BenchProxy(started, new Route("mitmproxy", port, await File.ReadAllTextAsync(Path.Combine(own, "mitmproxy-ca-cert.pem"), cancellationToken)));
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
        text.Append(CultureInfo.InvariantCulture, $"        - {{ host: {BenchOrigin.Host}, methods: [GET], paths: [/*], ports: [{origin.Port}, {origin.StreamPort}] }}\n");
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
              - { host: {{BenchOrigin.Host}}, port: {{origin.Port}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin-ca.pem, secrets: [BENCH_KEY] }

            """);
        if (origin.StreamPort != origin.Port)
            text.Append(CultureInfo.InvariantCulture, $"  - {{ host: {BenchOrigin.Host}, port: {origin.StreamPort}, address: 127.0.0.1, target_port: {origin.StreamPort}, ca_cert: origin-ca.pem, secrets: [BENCH_KEY] }}\n");
        return text.ToString();
    }

    public async ValueTask DisposeAsync() => await Programs.End(process);
}
