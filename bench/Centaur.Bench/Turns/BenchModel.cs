using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Turns;

/// <summary>The demo model under a vendor's name, over TLS, with a key that only the broker holds: a turn that asks it goes through proxy, scan and swap.</summary>
internal sealed class BenchModel : IAsyncDisposable
{
    public const string KeyName = "OPENAI_API_KEY";
    const string Host = "api.openai.com";

    readonly Process process;
    readonly string folder;
    readonly int port;

    BenchModel(Process process, string folder, int port, string key) => (this.process, this.folder, this.port, Key) = (process, folder, port, key);

    public string Key { get; }

    /// <summary>The lines of <c>centaur.yaml</c> that lead to it.</summary>
    public string Configuration =>
        $"""
        egress:
          map:
            - host: {Host}
              port: 443
              address: 127.0.0.1
              target_port: {port}
              ca_file: {Path.Combine(folder, "ca.pem")}
              secrets: [{KeyName}]

        """;

    public static async Task<BenchModel> Start(BenchContext context, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var key = "sk-bench-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        await File.WriteAllTextAsync(Path.Combine(folder, "key"), key, cancellationToken);
        var start = new ProcessStartInfo(
            Path.Combine(context.Dist, "demo-model", "centaur-demo-model"),
            ["--listen", "127.0.0.1:0", "--make-ca", folder, "--host", Host, "--require-key-file", Path.Combine(folder, "key"), "--parent-pid", $"{Environment.ProcessId}"])
        {
            UseShellExecute = false, RedirectStandardOutput = true,
        };
        var started = Process.Start(start)!;
        var line = await started.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The demo model ended at its start.");
        return new BenchModel(started, folder, new Uri(JsonElement.Parse(line).GetProperty("listening").GetString()!).Port, key);
    }

    public async ValueTask DisposeAsync() => await Programs.End(process);
}
