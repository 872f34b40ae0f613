using Centaur.Protocol.Attach;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Attach;
using Centaur.Runner.Keep.Harness;
using Centaur.Runner.Keep.Home;
using Centaur.Runner.Keep.Jail;
using Centaur.Runner.Keep.Journal;
using Centaur.Runner.Keep.Limits;
using Centaur.Runner.Keep.Proxy;
using Centaur.Runner.Keep.Relay;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep;

/// <summary>
/// One sandbox, from its first frame to its last.
/// <para>1. Folders, journal, and what is remembered.</para>
/// <para>2. The proxy starts and makes its certificate authority while home, limits and jail are prepared; the jail is complete when the certificate is in it.</para>
/// <para>3. The attach socket appears: whoever can connect finds a sandbox that is ready.</para>
/// <para>4. Until the jail ends, or a worker or a signal asks for the end.</para>
/// <para>5. The jail is ended first, then proxy, home and limits are given back; the last frame says why.</para>
/// <para>6. The journal stays on offer until a worker has acknowledged its last frame and left, or asks for the end.</para>
/// A start that fails goes on with 5 and 6 as well: the reason is a frame, not a line in a log that nobody reads.
/// </summary>
internal sealed class SandboxKeeper(SandboxSpec spec, TimeProvider time)
{
    /// <summary>ENOSPC, which the runtime hands on as it is.</summary>
    const int NoSpaceLeft = 28;
    static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(1);

    readonly KeeperFolders folders = new(spec);

    /// <returns>The exit code: 0 when the sandbox was served to its end.</returns>
    public async Task<int> Run(bool replayOnly, Task<string> signalled, CancellationToken cancellationToken)
    {
        // 1.
        folders.MakeState();
        using var journal = new FrameJournal(folders.Journal, spec.Limits.JournalBytes);
        using var state = new KeeperState($"{folders.Journal}/state.ndjson");
        // Whoever asked for a start may not have known that another keeper began one and has died of it since.
        replayOnly |= state.Born;
        folders.RemoveRuntime();
        folders.MakeRuntime();
        var turns = new TurnDesk(journal, state);
        using var desk = new SandboxDesk(spec, journal, state, turns, time);
        using var listener = new AttachListener(folders.Attach, journal, state, desk);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stopped = Task.WhenAny(desk.Stopped, signalled);

        if (replayOnly)
        {
            await ReleaseLeftBehind(cancellationToken);
            if (!EndsWithJail(journal))
                End(turns, new ProcessEnd(default, ExitCauses.Killed, "The keeper of this sandbox was killed, and the sandbox with it."));
            desk.Bury();
            listener.Listen();
        }
        else
        {
            state.Write(new KeeperRecord { Born = true });
            var end = await Live(journal, turns, desk, listener, stopped, stopping.Token);
            End(turns, end);
            desk.Bury();
            if (!File.Exists(folders.Attach))
                listener.Listen();
        }

        // 6.
        if (replayOnly || !stopped.IsCompleted)
            _ = listener.Run(stopping.Token);
        await Drain(journal, desk, listener, stopped);
        await stopping.CancelAsync();
        folders.RemoveRuntime();
        return 0;
    }

    async Task<ProcessEnd> Live(
        FrameJournal journal, TurnDesk turns, SandboxDesk desk, AttachListener listener, Task stopped, CancellationToken stoppingToken)
    {
        using var children = new Children();
        using var relay = new ApiRelay(folders.ApiSocket, spec.ApiUpstream);
        var home = new HomeFolder(spec, children);
        var files = new JailFiles(folders.Etc);
        IResourceGroup? group = null;
        ProxyKeeper? proxy = null;
        JailProcess? jail = null;
        try
        {
            // 2.
            proxy = new ProxyKeeper(spec, folders, children, () => turns.Notice(KeeperNotices.ProxyRestarted()));
            var certificate = proxy.Start(stoppingToken);
            relay.Listen();
            folders.OpenToJail(folders.ApiSocket);
            files.Write();
            group = ResourceGroups.Make(spec.SandboxId, spec.Limits);
            await home.Prepare();
            jail = await JailProcess.Start(spec, folders, files, group, children, stoppingToken);
            files.Publish(await certificate);
            _ = relay.Run(stoppingToken);

            // 3.
            desk.Open(new LivingSandbox(spec, jail, proxy, group, await certificate, folders.HarnessLog, time, stoppingToken));
            listener.Listen();
            _ = listener.Run(stoppingToken);

            // 4.
            await Task.WhenAny(jail.Exited, stopped);
            return await Finish(jail, group, desk);
        }
        catch (Exception failure) when (failure is IOException or TimeoutException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            await Console.Error.WriteLineAsync($"The sandbox could not be started: {failure}");
            return new ProcessEnd(default, ExitCauses.StartFailed, $"The sandbox could not be started: {Cause(failure)}");
        }
        finally
        {
            await Release(jail, proxy, home, group);
        }
    }

    static string Cause(Exception failure) => failure.HResult == NoSpaceLeft ? $"the machine's disk is full. {failure.Message}" : failure.Message;

    static async Task<ProcessEnd> Finish(JailProcess jail, IResourceGroup group, SandboxDesk desk)
    {
        // 5.
        desk.Close();
        var asked = jail.Exited.IsCompleted ? null : ExitCauses.Stopped;
        var outOfMemory = group.OutOfMemoryKills() > 0;
        jail.Kill();
        return ProcessEnd.Of("The sandbox", await jail.Exited, asked, outOfMemory, "");
    }

    static async Task Release(JailProcess? jail, ProxyKeeper? proxy, HomeFolder home, IResourceGroup? group)
    {
        if (jail is not null)
        {
            jail.Kill();
            await jail.Exited;
        }

        if (proxy is not null)
            await proxy.DisposeAsync();
        try
        {
            if (group is not null)
                await group.Remove(CancellationToken.None);
            await home.Release();
        }
        catch (IOException failure)
        {
            await Console.Error.WriteLineAsync($"release: {failure.Message}");
        }
    }

    /// <summary>What a keeper that was killed could not give back: its control groups, and its home's mount, which no other sandbox of the thread uses yet.</summary>
    async Task ReleaseLeftBehind(CancellationToken cancellationToken)
    {
        await ResourceGroups.RemoveLeftBehind(spec.SandboxId, cancellationToken);
        using var children = new Children();
        try
        {
            await new HomeFolder(spec, children).Release();
        }
        catch (IOException failure)
        {
            await Console.Error.WriteLineAsync($"release: {failure.Message}");
        }
    }

    static void End(TurnDesk turns, ProcessEnd end)
    {
        turns.Notice(KeeperNotices.JailExited(end));
        turns.End();
    }

    static async Task Drain(FrameJournal journal, SandboxDesk desk, AttachListener listener, Task stopped)
    {
        while (!stopped.IsCompleted)
        {
            var settled = desk.Settled.Next;
            if (journal.Acknowledged >= journal.LastSeq && !desk.IsAttached)
                return;
            await Task.WhenAny(settled, stopped);
        }

        // Whoever asked for the end is still told of it.
        using var patience = new CancellationTokenSource(FlushPatience);
        try
        {
            await listener.Flush(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // It does not read any more.
        }
    }

    static bool EndsWithJail(FrameJournal journal)
    {
        if (journal.LastSeq == 0)
            return false;
        var reader = new JournalReader(journal, journal.LastSeq - 1);
        return reader.Read().Span.IndexOf("\"type\":\"keeper.jail_exited\""u8) >= 0;
    }
}
