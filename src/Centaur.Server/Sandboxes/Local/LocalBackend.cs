using System.Collections.Concurrent;
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
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    readonly HostLayout layout = host.Layout;
    readonly ConcurrentDictionary<string, SemaphoreSlim> starting = new(StringComparer.Ordinal);

    public async Task<Stream> Connect(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        if (await TryConnect(sandbox, cancellationToken) is { } running)
            return running;
        var gate = starting.GetOrAdd(sandbox.SandboxId, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            return await TryConnect(sandbox, cancellationToken) ?? await Start(sandbox, cancellationToken);
        }
        finally
        {
            gate.Release();
            starting.TryRemove(KeyValuePair.Create(sandbox.SandboxId, gate));
        }
    }

    public Task Remove(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        // The journal is read no more. The audit of what left the sandbox, and the keeper's log, stay for whoever must find out.
        foreach (var folder in (string[])[RuntimeFolder(sandbox), Path.Combine(StateFolder(sandbox), "journal")])
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        return Task.CompletedTask;
    }

    async Task<Stream> Start(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        using var keeper = await StartKeeper(sandbox, cancellationToken);
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < options.StartLimit)
        {
            if (await TryConnect(sandbox, cancellationToken) is { } stream)
                return stream;
            if (keeper.HasExited && await TryConnect(sandbox, cancellationToken) is null)
                throw new SandboxStartException($"The sandbox did not start: {await keeper.LastWords(cancellationToken)}");
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
            var lived = Directory.Exists(Path.Combine(StateFolder(sandbox), "journal"));
            Directory.CreateDirectory(StateFolder(sandbox), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return await KeeperProcess.Start(programs, Spec(sandbox), replayOnly: lived, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            throw new SandboxStartException($"The sandbox could not be prepared on this machine: {e.Message}", e);
        }
    }

    async Task<Stream?> TryConnect(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(RuntimeFolder(sandbox), "attach.sock")), cancellationToken);
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

    SandboxSpec Spec(SandboxRow sandbox)
    {
        var threadFolder = Path.Combine(layout.ThreadsFolder, sandbox.Folder);
        return new SandboxSpec
        {
            SandboxId = sandbox.SandboxId,
            StateFolder = StateFolder(sandbox),
            RuntimeFolder = RuntimeFolder(sandbox),
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

    string StateFolder(SandboxRow sandbox) => Path.Combine(layout.SandboxesFolder, sandbox.SandboxId);

    string RuntimeFolder(SandboxRow sandbox) => Path.Combine(layout.SandboxesRuntime, sandbox.SandboxId);
}
