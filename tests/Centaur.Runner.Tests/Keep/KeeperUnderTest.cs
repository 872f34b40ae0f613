using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Sandbox;
using Centaur.Testing;

namespace Centaur.Runner.Tests.Keep;

/// <summary>A real keeper with its real jail, in folders and under uids of its own. Only the proxy is a stand-in, for its control side.</summary>
public sealed class KeeperUnderTest : IAsyncDisposable
{
    static int lastUid = 1_000_000 + Environment.ProcessId % 100_000 * 100;

    readonly string folder = Directory.CreateTempSubdirectory("centaur-keeper-").FullName;
    Process? keeper;

    KeeperUnderTest(Func<SandboxSpec, SandboxSpec>? change)
    {
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        var probes = Path.Combine(AppContext.BaseDirectory, "Probes");
        Directory.CreateDirectory($"{folder}/probes");
        foreach (var file in Directory.GetFiles(probes))
        {
            File.Copy(file, $"{folder}/probes/{Path.GetFileName(file)}");
            File.SetUnixFileMode($"{folder}/probes/{Path.GetFileName(file)}", (UnixFileMode)0b111_101_101);
        }

        var uid = Interlocked.Add(ref lastUid, 2);
        Spec = new SandboxSpec
        {
            SandboxId = Path.GetFileName(folder),
            StateFolder = $"{folder}/state",
            RuntimeFolder = $"{folder}/run",
            HomeFolder = $"{folder}/home",
            HomeImage = $"{folder}/home.img",
            JailUid = uid,
            ProxyUid = uid + 1,
            RunnerProgram = Runner,
            ProxyProgram = $"{folder}/probes/proxy.py",
            BrokerSocket = $"{folder}/no-broker",
            ApiUpstream = "127.0.0.1:9",
            Toolchain = [new ToolchainMount($"{folder}/probes", "/opt/probes")],
            Limits = new SandboxLimits { MemoryBytes = 256L << 20, Processes = 64, HomeBytes = 32L << 20, TmpBytes = 16L << 20 },
        };
        Spec = change?.Invoke(Spec) ?? Spec;
    }

    public SandboxSpec Spec { get; }

    /// <summary>A command that the keeper is started under, which must replace itself by it.</summary>
    IReadOnlyList<string> Under { get; init; } = [];

    public int Pid => keeper!.Id;

    /// <summary>The published runner: pid 1 of a jail must be one file. <c>./centaur</c> publishes it.</summary>
    static string Runner
    {
        get
        {
            var root = AppContext.BaseDirectory;
            while (!File.Exists($"{root}/Centaur.slnx"))
                root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("The tests do not run from the repository.");
            var runner = $"{root}/artifacts/dist/runner/centaur-runner";
            return File.Exists(runner) ? runner : throw new InvalidOperationException($"{runner} is missing: publish src/Centaur.Runner first.");
        }
    }

    /// <summary>Starts a keeper and waits until it can be attached to.</summary>
    public static async Task<KeeperUnderTest> Start(CancellationToken cancellationToken, Func<SandboxSpec, SandboxSpec>? change = null)
    {
        var started = new KeeperUnderTest(change);
        await started.Keep(cancellationToken);
        return started;
    }

    /// <summary>Starts a keeper on a machine that lacks this program: nothing can be run where it was.</summary>
    public static async Task<KeeperUnderTest> StartWithout(string program, CancellationToken cancellationToken)
    {
        string[] ownMounts = Environment.IsPrivilegedProcess ? ["unshare", "--mount"] : ["unshare", "--user", "--map-root-user", "--mount"];
        var started = new KeeperUnderTest(null) { Under = [.. ownMounts, "sh", "-c", "mount --bind /dev/null \"$0\" && exec \"$@\"", program] };
        await started.Keep(cancellationToken);
        return started;
    }

    /// <summary>Starts a keeper on a machine whose disk has no room for the home of its sandbox.</summary>
    public static async Task<KeeperUnderTest> StartOnFullDisk(CancellationToken cancellationToken)
    {
        var disk = "";
        var started = new KeeperUnderTest(spec =>
        {
            disk = Directory.CreateDirectory($"{Path.GetDirectoryName(spec.HomeImage)}/disk").FullName;
            return spec with { HomeImage = $"{disk}/home.img" };
        })
        { Under = OwnMounts.SmallDisk(disk, "64k") };
        await started.Keep(cancellationToken);
        return started;
    }

    /// <summary>Starts a keeper on these folders, again where one was killed.</summary>
    public async Task Keep(CancellationToken cancellationToken, params string[] more)
    {
        await File.WriteAllBytesAsync($"{folder}/spec.json", JsonSerializer.SerializeToUtf8Bytes(Spec, ProtocolJson.Default.SandboxSpec), cancellationToken);
        if (Directory.Exists(Spec.RuntimeFolder))
            Directory.Delete(Spec.RuntimeFolder, recursive: true);
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" 2>>\"$0\"", $"{folder}/keeper.log", .. Under, Spec.RunnerProgram, "keep", "--spec", $"{folder}/spec.json", .. more]);
        keeper = Process.Start(start)!;
        keeper.EnableRaisingEvents = true;
        while (!File.Exists($"{Spec.RuntimeFolder}/attach.sock") && !keeper.HasExited)
            await Task.Delay(5, cancellationToken);
        if (keeper.HasExited)
            throw new InvalidOperationException($"The keeper ended with {keeper.ExitCode}: {await File.ReadAllTextAsync($"{folder}/keeper.log", cancellationToken)}");
    }

    public async Task<WorkerLink> Attach(long generation, long afterSeq, CancellationToken cancellationToken)
    {
        var link = await Connect(cancellationToken);
        await link.Attach(generation, afterSeq, cancellationToken);
        return link;
    }

    public async Task<WorkerLink> Connect(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint($"{Spec.RuntimeFolder}/attach.sock"), cancellationToken);
        return new WorkerLink(socket);
    }

    /// <summary>Attaches, puts a policy in force and claims the sandbox for the harness of the tests.</summary>
    public async Task<WorkerLink> Claim(CancellationToken cancellationToken)
    {
        var link = await Attach(1, 0, cancellationToken);
        await link.Claim(Spec.SandboxId, cancellationToken);
        return link;
    }

    /// <summary>Host process ids below the keeper whose command line holds this word.</summary>
    public IReadOnlyList<int> Below(string word)
    {
        var parents = new Dictionary<int, int>();
        foreach (var path in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var text = File.ReadAllText($"{path}/stat");
                parents[int.Parse(Path.GetFileName(path))] = int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1]);
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        var below = new HashSet<int> { Pid };
        while (parents.Where(pair => below.Contains(pair.Value)).Select(pair => below.Add(pair.Key)).ToList().Contains(true))
        {
        }

        below.Remove(Pid);
        return [.. below.Where(pid => File.Exists($"/proc/{pid}/cmdline") && File.ReadAllText($"/proc/{pid}/cmdline").Contains(word, StringComparison.Ordinal))];
    }

    public static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }

    /// <summary>Starts one more keeper on the same folders, beside the one that has them, and waits for its end.</summary>
    public async Task<(int ExitCode, string Errors)> KeepTwice(CancellationToken cancellationToken)
    {
        using var second = Process.Start(new ProcessStartInfo(Spec.RunnerProgram, ["keep", "--spec", $"{folder}/spec.json"]) { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = await second.StandardError.ReadToEndAsync(cancellationToken);
        await second.WaitForExitAsync(cancellationToken);
        return (second.ExitCode, errors);
    }

    /// <summary><c>kill -9</c> of the keeper.</summary>
    public async Task KillKeeper(CancellationToken cancellationToken)
    {
        keeper!.Kill();
        await keeper.WaitForExitAsync(cancellationToken);
    }

    public Task Ended(CancellationToken cancellationToken) => keeper!.WaitForExitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        var jail = Below("init");
        if (!keeper!.HasExited)
        {
            using var term = Process.Start("/bin/kill", [$"{keeper.Id}"]);
            await term.WaitForExitAsync();
            await keeper.WaitForExitAsync();
        }

        keeper.Dispose();
        while (jail.Any(pid => Directory.Exists($"/proc/{pid}")))
            await Task.Delay(5);
        if ((await File.ReadAllTextAsync("/proc/self/mountinfo")).Contains(Spec.HomeFolder, StringComparison.Ordinal))
        {
            using var unmount = Process.Start("/bin/umount", [Spec.HomeFolder]);
            await unmount.WaitForExitAsync();
        }

        foreach (var controller in (string[])["memory", "pids", "cpu"])
        {
            if (Directory.Exists($"/sys/fs/cgroup/{controller}/centaur/{Spec.SandboxId}"))
                Directory.Delete($"/sys/fs/cgroup/{controller}/centaur/{Spec.SandboxId}");
        }

        Directory.Delete(folder, recursive: true);
    }
}
