using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.EndToEnd;

/// <summary>
/// The scripted model under the vendor's host name, over real TLS, strict: whoever does not carry the real test key gets 401, so a placeholder that
/// slips through fails the turn.
/// </summary>
internal sealed class ScriptedModel : IAsyncDisposable
{
    readonly Process process;
    readonly string folder;

    ScriptedModel(Process process, string folder, int port, string key) => (this.process, this.folder, Port, Key) = (process, folder, port, key);

    public int Port { get; }

    /// <summary>The real key; random, so that a search for it means something.</summary>
    public string Key { get; }

    public string CaFile => Path.Combine(folder, "ca.pem");

    /// <summary>Every request that the model saw, oldest first.</summary>
    public IReadOnlyList<JsonObject> Requests => File.Exists(RecordFile)
        ? File.ReadLines(RecordFile).Select(line => JsonNode.Parse(line)!.AsObject()).ToList()
        : [];

    string RecordFile => Path.Combine(folder, "requests.ndjson");

    public static async Task<ScriptedModel> Start(string folder, string host, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var key = "sk-test-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var keyFile = Path.Combine(folder, "key");
        await File.WriteAllTextAsync(keyFile, key, cancellationToken);
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var start = new ProcessStartInfo(Programs.DemoModel) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var argument in (string[])
        [
            "--listen", "127.0.0.1:0", "--make-ca", folder, "--host", host, "--require-key-file", keyFile,
            "--record", Path.Combine(folder, "requests.ndjson"), "--parent-pid", $"{Environment.ProcessId}",
        ])
            start.ArgumentList.Add(argument);
        var started = Process.Start(start)!;
        var line = await started.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The scripted model ended at its start.");
        var address = new Uri(JsonDocument.Parse(line).RootElement.GetProperty("listening").GetString()!);
        return new ScriptedModel(started, folder, address.Port, key);
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
