using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;

namespace Centaur.ProxyConformance.Targets;

/// <summary>One process of it, in a folder of its own.</summary>
sealed class CentaurProxy(SuiteConfig config, Scene scene) : IRunningProxy
{
    const string Said = "Listening on ";

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-conformance-");
    readonly TestAuthority authority = new();
    readonly ConcurrentQueue<string> log = new();
    readonly TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<string, int> ports = [];
    Process? process;
    Task reading = Task.CompletedTask;

    public int Id => process!.Id;

    public bool Lives => !process!.HasExited;

    public string TrustedPem => authority.Pem;

    public string Log => string.Join('\n', log);

    public bool HasAudit => true;

    public string ReasonHeader => "X-Centaur-Denied";

    string AuditPath => Path.Combine(folder.FullName, "audit.ndjson");

    public int Port(string listener) => ports.TryGetValue(listener, out var port) ? port : throw new InvalidOperationException($"The configuration has no listener \"{listener}\".");

    public async Task Start(CancellationToken cancellationToken)
    {
        await Write("ca.pem", authority.PemWithKey);
        foreach (var place in scene.Places.Where(place => place.AuthorityPem is not null))
            await Write(CentaurConfig.AuthorityFile(place), place.AuthorityPem!);
        foreach (var (name, text) in config.Files)
            await Write(name, scene.Fill(text));
        await Write("config", config.File);
        var variables = config.Environment.ToDictionary(pair => pair.Key, pair => scene.Fill(pair.Value));
        foreach (var (name, value) in scene.Vault?.Environment ?? new Dictionary<string, string>())
            variables[name] = value;
        process = ProxyProgram.Start(["--config", Path.Combine(folder.FullName, "proxy.yaml")], environment: variables);
        var wanted = Expected();
        reading = Read(wanted);
        await listening.Task.WaitAsync(cancellationToken);
    }

    public Task Write(string name, string text) =>
        File.WriteAllTextAsync(Path.Combine(folder.FullName, name == "config" ? "proxy.yaml" : name), name == "config" ? CentaurConfig.Render(text, config, scene) : text);

    public IReadOnlyList<JsonElement> Audit()
    {
        if (!File.Exists(AuditPath))
            return [];
        using var reader = new StreamReader(new FileStream(AuditPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        // The last line may be half written.
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            await reading;
            process.Dispose();
        }

        authority.Dispose();
        folder.Delete(recursive: true);
    }

    /// <summary>In the order in which the program names its listeners.</summary>
    List<string> Expected()
    {
        var keys = new Dictionary<string, string>
        {
            ["http_listen:"] = "http", ["https_listen:"] = "https", ["metrics:"] = "metrics", ["management:"] = "management", ["postgres:"] = "postgres",
        };
        return ["tunnel", .. keys.Where(pair => config.File.Contains(pair.Key, StringComparison.Ordinal)).Select(pair => pair.Value)];
    }

    async Task Read(List<string> wanted)
    {
        while (await process!.StandardError.ReadLineAsync() is { } line)
        {
            log.Enqueue(line);
            if (line.IndexOf(Said, StringComparison.Ordinal) is not (>= 0 and var at))
                continue;
            ports[wanted[ports.Count]] = int.Parse(line.TrimEnd('.')[(line.TrimEnd('.').LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            if (ports.Count == wanted.Count)
                listening.TrySetResult();
        }

        await process.WaitForExitAsync();
        listening.TrySetException(new NotStartedException(process.ExitCode, Log));
    }
}
