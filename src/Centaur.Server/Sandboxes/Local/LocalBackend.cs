using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Sandboxes.Local;

/// <summary>
/// Sandboxes on this machine: a keeper process each, in a session of its own, found again by its attach socket. They outlive this server, which adopts
/// them at its next start by connecting.
/// </summary>
internal sealed class LocalBackend(HostIdentity host, SandboxOptions options, KeeperPrograms programs, TimeProvider time) : ISandboxBackend
{
    /// <summary>ENOSPC, which the runtime hands on as it is.</summary>
    const int NoSpaceLeft = 28;
    const int SolSocket = 1;
    const int PeerCredentials = 17;
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    readonly HostLayout layout = host.Layout;
    readonly ConcurrentDictionary<string, SemaphoreSlim> starting = new(StringComparer.Ordinal);

    public async Task<Stream> Connect(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        if (await Running(sandbox, cancellationToken) is { } running)
            return running;
        var gate = starting.GetOrAdd(sandbox.SandboxId, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            return await Running(sandbox, cancellationToken) ?? await Start(sandbox, cancellationToken);
        }
        finally
        {
            gate.Release();
            starting.TryRemove(KeyValuePair.Create(sandbox.SandboxId, gate));
        }
    }

    public async Task<Stream?> Reach(SandboxRow sandbox, CancellationToken cancellationToken) =>
        await Running(sandbox, cancellationToken) ?? (HasLived(sandbox.SandboxId) ? await Connect(sandbox, cancellationToken) : null);

    public async Task<Stream?> Running(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(RuntimeFolder(sandbox.SandboxId), "attach.sock")), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task Kill(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        await using var stream = await Running(sandbox, cancellationToken);
        if (stream is not NetworkStream { Socket: var socket })
            return;
        // Who listens on the socket is the keeper, whatever its files say (unix(7), SO_PEERCRED: pid, uid, gid).
        var credentials = new byte[3 * sizeof(int)];
        socket.GetRawSocketOption(SolSocket, PeerCredentials, credentials);
        try
        {
            using var keeper = Process.GetProcessById(BitConverter.ToInt32(credentials));
            keeper.Kill();
            await keeper.WaitForExitAsync(cancellationToken);
        }
        catch (ArgumentException)
        {
            // It has ended meanwhile.
        }
    }

    public Task Remove(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        // The journal is read no more. The audit of what left the sandbox, and the keeper's log, stay for whoever must find out.
        RemoveAll(RuntimeFolder(sandbox.SandboxId));
        RemoveAll(JournalFolder(sandbox.SandboxId));
        // One that nobody ever began to start has no folder.
        if (File.Exists(SpecFile(sandbox.SandboxId)))
            File.Delete(SpecFile(sandbox.SandboxId));
        return Task.CompletedTask;
    }

    public Task Forget(string sandboxId, CancellationToken cancellationToken)
    {
        var folder = StateFolder(sandboxId);
        if (!Directory.Exists(folder))
            return Task.CompletedTask;
        var audit = new FileInfo(layout.AuditFile(sandboxId));
        if (!audit.Exists || audit.Length == 0)
        {
            RemoveAll(folder);
            return Task.CompletedTask;
        }
        foreach (var file in Directory.EnumerateFiles(folder).Where(file => file != audit.FullName))
            File.Delete(file);
        return Task.CompletedTask;
    }

    public Task RemoveFolder(string folder, CancellationToken cancellationToken)
    {
        RemoveAll(Path.Combine(layout.ThreadsFolder, folder));
        return Task.CompletedTask;
    }

    public IReadOnlyList<string> Found() =>
        Names(layout.SandboxesRuntime).Union(Names(layout.SandboxesFolder).Where(id => HasLived(id) || File.Exists(SpecFile(id))), StringComparer.Ordinal).ToList();

    static IEnumerable<string> Names(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "sbx-*").Select(path => Path.GetFileName(path)) : [];

    static void RemoveAll(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    async Task<Stream> Start(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            using var keeper = await StartKeeper(sandbox, cancellationToken);
            if (await Listening(sandbox, keeper, began, cancellationToken) is { } stream)
                return stream;
            // A keeper that was started before, by this server or one that is gone, has not come up yet or is about to end: then this sandbox is offered or free.
            await Task.Delay(Patience, time, cancellationToken);
        }
    }

    /// <returns>Null where the keeper has left the sandbox to another one, which does not listen.</returns>
    async Task<Stream?> Listening(SandboxRow sandbox, KeeperProcess keeper, long began, CancellationToken cancellationToken)
    {
        while (time.GetElapsedTime(began) < options.StartLimit)
        {
            var exited = keeper.HasExited;
            if (await Running(sandbox, cancellationToken) is { } stream)
                return stream;
            if (exited)
                return keeper.LeftItToAnother ? null : throw new SandboxStartException($"The sandbox did not start: {await keeper.LastWords(cancellationToken)}");
            await Task.Delay(Step, time, cancellationToken);
        }
        throw new SandboxStartException(
            $"The sandbox did not start within {options.StartLimit.TotalSeconds:0} s. The machine may be overloaded; the keeper's log is {keeper.LogFile}.");
    }

    /// <summary>A disk that is full, or a folder that cannot be written, is the machine's trouble and the turn's answer; it must not end the server.</summary>
    async Task<KeeperProcess> StartKeeper(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        try
        {
            // Whoever has begun once has a journal to read, and never begins again.
            var lived = HasLived(sandbox.SandboxId);
            Directory.CreateDirectory(StateFolder(sandbox.SandboxId), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return await KeeperProcess.Start(programs, Spec(sandbox), replayOnly: lived, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            throw new SandboxStartException($"The sandbox could not be prepared on this machine: {(e.HResult == NoSpaceLeft ? "its disk is full. " : "")}{e.Message}", e);
        }
    }

    SandboxSpec Spec(SandboxRow sandbox)
    {
        var threadFolder = Path.Combine(layout.ThreadsFolder, sandbox.Folder);
        return new SandboxSpec
        {
            SandboxId = sandbox.SandboxId,
            StateFolder = StateFolder(sandbox.SandboxId),
            RuntimeFolder = RuntimeFolder(sandbox.SandboxId),
            HomeFolder = Path.Combine(threadFolder, "home"),
            HomeImage = sandbox.JailUid is null ? null : Path.Combine(threadFolder, "home.img"),
            JailUid = sandbox.JailUid,
            ProxyUid = sandbox.JailUid + 1,
            RunnerProgram = programs.Runner,
            ProxyProgram = programs.Proxy,
            BrokerSocket = layout.BrokerFetchSocket,
            ApiUpstream = "unix:" + layout.SandboxApiSocket,
            Toolchain = [new ToolchainMount(layout.HarnessesFolder, JailPaths.Harnesses), .. options.Toolchain],
            Limits = options.Limits,
        };
    }

    bool HasLived(string sandboxId) => Directory.Exists(JournalFolder(sandboxId));

    string StateFolder(string sandboxId) => Path.Combine(layout.SandboxesFolder, sandboxId);

    string JournalFolder(string sandboxId) => Path.Combine(StateFolder(sandboxId), "journal");

    string SpecFile(string sandboxId) => Path.Combine(StateFolder(sandboxId), "spec.json");

    string RuntimeFolder(string sandboxId) => Path.Combine(layout.SandboxesRuntime, sandboxId);
}
