using System.Collections.Concurrent;

namespace Centaur.Runner.Native;

/// <summary>
/// Starts and awaits the keeper's children. All are started by one thread that lives as long as the keeper: a parent-death signal is sent when the
/// <em>thread</em> that made the child ends, and a thread of the pool may end at any time.
/// </summary>
internal sealed class Children : IDisposable
{
    readonly ConcurrentDictionary<int, TaskCompletionSource<WaitStatus>> running = new();
    readonly BlockingCollection<Action> work = [];
    readonly Reaper reaper;

    public Children()
    {
        reaper = new Reaper((pid, status) =>
        {
            if (running.TryRemove(pid, out var exited))
                exited.TrySetResult(new WaitStatus(status));
        });
        new Thread(Run, 512 * 1024) { IsBackground = true, Name = "spawner" }.Start();
    }

    /// <exception cref="IOException">The program could not be started.</exception>
    public async Task<Child> Start(SpawnRequest request)
    {
        var started = new TaskCompletionSource<Child>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                var exited = new TaskCompletionSource<WaitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
                var (pid, error) = reaper.Start(request, pid => running[pid] = exited);
                if (error == 0)
                    started.SetResult(new Child(pid, exited.Task, this));
                else
                    started.SetException(new IOException($"Start {request.Arguments[0]}: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)}"));
            }
            catch (IOException failure)
            {
                started.SetException(failure);
            }
        });
        return await started.Task;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="IOException">It could not be started, or did not exit with 0.</exception>
    public async Task Run(params string[] arguments)
    {
        var child = await Start(new SpawnRequest { Arguments = arguments, Environment = SystemEnvironment });
        var status = await child.Exited;
        if (status.ExitCode != 0)
            throw new IOException($"{arguments[0]} ended with {status.ExitCode?.ToString() ?? $"signal {status.Signal}"}.");
    }

    /// <summary>What programs of the system need to find each other.</summary>
    public static readonly IReadOnlyDictionary<string, string> SystemEnvironment = new Dictionary<string, string>
    {
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["LANG"] = "C.UTF-8",
    };

    internal void Signal(int pid, int signal) => reaper.WhileNoneIsReaped(() =>
    {
        if (running.ContainsKey(pid))
            _ = Libc.kill(pid, signal);
    });

    void Run()
    {
        foreach (var start in work.GetConsumingEnumerable())
            start();
    }

    public void Dispose() => work.CompleteAdding();
}

/// <param name="Pid">Its process id here.</param>
/// <param name="Exited">Completes when it has ended.</param>
/// <param name="Owner">Who reaps it.</param>
internal sealed record Child(int Pid, Task<WaitStatus> Exited, Children Owner)
{
    public void Signal(int signal) => Owner.Signal(Pid, signal);
}
