using System.Runtime.InteropServices;

namespace Centaur.Runner.Native;

/// <summary>
/// Waits for every child of this process on one thread of its own. SIGCHLD is no way to learn of them here: any thread of the runtime that does not block it
/// may swallow it.
/// </summary>
internal sealed unsafe class Reaper : IDisposable
{
    const int AnyChild = 0;
    const int Exited = 4;
    const int LeaveWaitable = 0x01000000;
    const int PidOffset = 16;
    const int InfoBytes = 128;

    readonly Lock gate = new();
    readonly SemaphoreSlim born = new(0);
    readonly Action<int, int> onExit;

    /// <param name="onExit">Called on the reaper's thread with the child's id and its wait status.</param>
    public Reaper(Action<int, int> onExit)
    {
        this.onExit = onExit;
        new Thread(Run, 256 * 1024) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>Starts a child. Whatever <paramref name="started"/> does has been done before the child's end is reported.</summary>
    public (int Pid, int Error) Start(SpawnRequest request, Action<int> started)
    {
        lock (gate)
        {
            var result = PosixSpawn.Start(request);
            if (result.Error == 0)
            {
                started(result.Pid);
                born.Release();
            }

            return result;
        }
    }

    /// <summary>Runs while no child can be reaped, so that a process id still means the process that it meant.</summary>
    public void WhileNoneIsReaped(Action action)
    {
        lock (gate)
            action();
    }

    void Run()
    {
        var info = stackalloc byte[InfoBytes];
        while (true)
        {
            new Span<byte>(info, InfoBytes).Clear();
            if (Libc.waitid(AnyChild, 0, info, Exited | LeaveWaitable) < 0)
            {
                // No child now means no descendant that could become one: only the next start changes that.
                if (Marshal.GetLastPInvokeError() == Libc.NoChild)
                    born.Wait();
                continue;
            }

            var pid = *(int*)(info + PidOffset);
            int status;
            lock (gate)
                Libc.waitpid(pid, &status, 0);
            onExit(pid, status);
        }
    }

    public void Dispose() => born.Dispose();
}
