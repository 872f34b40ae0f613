using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Centaur.Bench.Installation;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;

namespace Centaur.Bench.Sandboxes;

/// <summary>One published keeper with its real proxy and its real jail, in folders of its own, driven as a worker drives it.</summary>
internal sealed class BenchKeeper : IAsyncDisposable
{
    static int lastUid = 2_000_000 + Environment.ProcessId % 10_000 * 100;

    readonly string folder = Directory.CreateTempSubdirectory("centaur-bench-").FullName;
    readonly SandboxSpec spec;
    Process? keeper;
    NetworkStream? stream;
    LineReader? reader;
    LineWriter? writer;

    public BenchKeeper(string dist)
    {
        const UnixFileMode Readable = (UnixFileMode)0b111_101_101;
        File.SetUnixFileMode(folder, Readable);
        Directory.CreateDirectory($"{folder}/harness");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Sandboxes", "harness"), $"{folder}/harness/harness");
        File.SetUnixFileMode($"{folder}/harness/harness", Readable);
        var root = Environment.IsPrivilegedProcess;
        var uid = lastUid += 2;
        spec = new SandboxSpec
        {
            SandboxId = Path.GetFileName(folder),
            StateFolder = $"{folder}/state",
            RuntimeFolder = $"{folder}/run",
            HomeFolder = $"{folder}/home",
            HomeImage = root ? $"{folder}/home.img" : null,
            JailUid = root ? uid : null,
            ProxyUid = root ? uid + 1 : null,
            RunnerProgram = Path.Combine(dist, "runner", "centaur-runner"),
            ProxyProgram = Path.Combine(dist, "proxy", "centaur-proxy"),
            BrokerSocket = $"{folder}/no-broker",
            ApiUpstream = $"unix:{folder}/no-api",
            Toolchain = [new ToolchainMount($"{folder}/harness", "/opt/bench")],
        };
        File.WriteAllBytes($"{folder}/spec.json", JsonSerializer.SerializeToUtf8Bytes(spec, ProtocolJson.Default.SandboxSpec));
    }

    public int Pid => keeper!.Id;

    /// <summary>Starts the keeper and returns when a worker is attached.</summary>
    public async Task Attach(CancellationToken cancellationToken)
    {
        keeper = Programs.Start(spec.RunnerProgram, ["keep", "--spec", $"{folder}/spec.json"]);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var endpoint = new UnixDomainSocketEndPoint($"{spec.RuntimeFolder}/attach.sock");
        while (!File.Exists(endpoint.ToString()) || !await Connected(socket, endpoint, cancellationToken))
        {
            if (keeper.HasExited)
                throw new InvalidOperationException($"The keeper ended with {keeper.ExitCode}.");
            await Task.Delay(1, cancellationToken);
        }

        stream = new NetworkStream(socket, ownsSocket: true);
        reader = new LineReader(stream, 16 << 20);
        writer = new LineWriter(stream);
        await Say(new AttachRequest(1, 0), cancellationToken);
        await Answer<Attached>(cancellationToken);
    }

    /// <summary>What the warm pool asks of a spare before it offers it: to obey a policy that denies everything.</summary>
    public async Task Rehearse(CancellationToken cancellationToken)
    {
        await Say(new PolicyUpdate(new ProxyPolicy { Version = 1, SandboxId = spec.SandboxId }, null), cancellationToken);
        await Answer<PolicyAcknowledged>(cancellationToken);
    }

    /// <summary>Policy, claim and first turn, until the harness says that it has read it.</summary>
    public async Task FirstTurn(CancellationToken cancellationToken)
    {
        var launch = new HarnessLaunch { Driver = "ndjson", Program = "/opt/bench/harness", Version = "1", ModelApi = "responses", BaseUrl = "https://model.test/v1" };
        await Say(new PolicyUpdate(new ProxyPolicy { Version = 2, SandboxId = spec.SandboxId, Allow = [new EgressRule("model", ["model.test"])] }, null), cancellationToken);
        await Answer<PolicyAcknowledged>(cancellationToken);
        await Say(new ClaimRequest(new SandboxIdentity("bench:1", "trace-1", "token-1"), launch), cancellationToken);
        await Answer<Claimed>(cancellationToken);
        var message = JsonElement.Parse("""{"role":"user","content":[{"type":"text","text":"Reply with exactly PONG."}]}""");
        await Say(new UserTurn("turn-0000000000000001", message), cancellationToken);
        while (await Next(cancellationToken) is not Frame { Source: null })
        {
        }
    }

    /// <summary>The sandbox's processes: the keeper and everything below it but the harness. A proxy is asked for by its program's name.</summary>
    public IReadOnlyList<int> Processes()
    {
        var parents = new Dictionary<int, int>();
        foreach (var path in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var text = File.ReadAllText($"{path}/stat");
                parents[int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)] = int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        var below = new HashSet<int> { Pid };
        for (var before = 0; before < below.Count;)
        {
            before = below.Count;
            below.UnionWith(parents.Where(pair => below.Contains(pair.Value)).Select(pair => pair.Key).ToList());
        }

        return [.. below.Where(pid => !File.ReadAllText($"/proc/{pid}/cmdline").Contains("/opt/bench/harness", StringComparison.Ordinal))];
    }

    static async Task<bool> Connected(Socket socket, UnixDomainSocketEndPoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    Task Say(WorkerMessage message, CancellationToken cancellationToken) => writer!.Write(message, ProtocolJson.Default.WorkerMessage, cancellationToken);

    async Task Answer<T>(CancellationToken cancellationToken)
        where T : KeeperMessage
    {
        object? next;
        while ((next = await Next(cancellationToken)) is Frame)
        {
        }

        if (next is not T)
            throw new InvalidOperationException($"The keeper said {next}.");
    }

    async Task<object> Next(CancellationToken cancellationToken)
    {
        var line = await reader!.Read(cancellationToken);
        if (line.Kind == LineKind.End)
            throw new EndOfStreamException("The keeper closed the connection.");
        return JsonElement.Parse(line.Bytes.Span).TryGetProperty("type", out _)
            ? JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.KeeperMessage)!
            : JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.Frame)!;
    }

    public async ValueTask DisposeAsync()
    {
        if (keeper is not null)
            await Programs.End(keeper);
        if (stream is not null)
            await stream.DisposeAsync();
        writer?.Dispose();
        if ((await File.ReadAllTextAsync("/proc/self/mountinfo")).Contains(spec.HomeFolder, StringComparison.Ordinal))
            await Programs.Run("/bin/umount", [spec.HomeFolder], CancellationToken.None);
        foreach (var controller in (string[])["memory", "pids", "cpu"])
        {
            if (Directory.Exists($"/sys/fs/cgroup/{controller}/centaur/{spec.SandboxId}"))
                Directory.Delete($"/sys/fs/cgroup/{controller}/centaur/{spec.SandboxId}");
        }

        Directory.Delete(folder, recursive: true);
    }
}
