using System.Collections.Concurrent;
using System.Net.Sockets;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Init;
using Centaur.Runner.Keep.Jail.Seccomp;
using Centaur.Runner.Keep.Limits;
using Centaur.Runner.Native;
using System.Runtime.InteropServices;

namespace Centaur.Runner.Keep.Jail;

/// <summary>The running jail: bubblewrap, with <c>centaur-runner init</c> as its pid 1, and what the keeper asks of that one.</summary>
internal sealed class JailProcess
{
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(20);

    readonly Child bubblewrap;
    readonly Socket control;
    readonly ConcurrentDictionary<int, TaskCompletionSource<InitMessage>> questions = new();
    readonly ConcurrentDictionary<int, TaskCompletionSource<WaitStatus>> programs = new();
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock sending = new();
    int lastId;

    JailProcess(Child bubblewrap, Socket control)
    {
        this.bubblewrap = bubblewrap;
        this.control = control;
        new Thread(Listen, 256 * 1024) { IsBackground = true, Name = "jail" }.Start();
    }

    /// <summary>Completes when the jail is gone.</summary>
    public Task<WaitStatus> Exited => bubblewrap.Exited;

    /// <summary>Builds the jail and waits for its pid 1.</summary>
    /// <exception cref="IOException">It could not be built; bubblewrap said why on our standard error.</exception>
    public static async Task<JailProcess> Start(
        SandboxSpec spec, KeeperFolders folders, JailFiles files, IResourceGroup group, Children children, CancellationToken cancellationToken)
    {
        List<string> arguments = ["/bin/sh", "-c", EnterGroups, "jail", $"{group.ProcessFiles.Count}", .. group.ProcessFiles];
        if (spec.JailUid is { } uid)
            arguments.AddRange(["setpriv", $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--"]);
        arguments.AddRange(JailArguments.For(spec, folders, files));

        var (ours, theirs) = SocketPair.Sequenced();
        using var filter = MemoryFile.Of("seccomp", JailFilter.Assemble());
        using (theirs)
        {
            var child = await children.Start(new SpawnRequest
            {
                Arguments = arguments,
                Environment = Children.SystemEnvironment,
                Descriptors =
                [
                    new((int)theirs.DangerousGetHandle(), JailArguments.ControlDescriptor),
                    new((int)filter.DangerousGetHandle(), JailArguments.FilterDescriptor),
                ],
            });
            var jail = new JailProcess(child, ours);
            await Task.WhenAny(jail.ready.Task, child.Exited).WaitAsync(StartPatience, cancellationToken);
            if (!jail.ready.Task.IsCompletedSuccessfully)
                throw new IOException(Complaint((await child.Exited).ExitCode));
            return jail;
        }
    }

    /// <summary>126 and 127 are the shell's words for a program that it cannot run or find.</summary>
    static string Complaint(int? code) => code is 126 or 127
        ? "The jail could not be built: bubblewrap cannot be run on this machine. Install the package bubblewrap; `centaur doctor` shows what else is missing."
        : $"The jail could not be built: bubblewrap ended with {code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "a signal"}; the keeper's log has its words.";

    /// <summary>Starts a program in a session of its own in the jail.</summary>
    /// <exception cref="IOException">It could not be started.</exception>
    public async Task<JailProgram> Execute(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, SafeHandle[] streams, CancellationToken cancellationToken)
    {
        var answer = await Ask(id => new InitMessage.Execute(id, arguments, environment, JailPaths.Workspace), streams, cancellationToken);
        if (answer is not InitMessage.Executed { Error: "" } executed)
            throw new IOException($"Start {arguments[0]}: {(answer as InitMessage.Executed)?.Error ?? "no answer"}");
        var exited = programs.GetOrAdd(executed.Pid, _ => new TaskCompletionSource<WaitStatus>(TaskCreationOptions.RunContinuationsAsynchronously));
        return new JailProgram(executed.Pid, exited.Task, this);
    }

    /// <summary>Writes a file as the jail's own user.</summary>
    /// <exception cref="IOException">A link stands in the way, or the disk is full.</exception>
    public async Task Write(string path, UnixFileMode mode, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using var file = MemoryFile.Of("content", content.Span);
        var answer = await Ask(id => new InitMessage.WriteFile(id, path, (uint)mode), [file], cancellationToken);
        if (answer is not InitMessage.Written { Error: "" })
            throw new IOException($"Write {path} in the jail: {(answer as InitMessage.Written)?.Error ?? "no answer"}");
    }

    /// <summary>Signals a program with all that descends from it.</summary>
    public void Signal(int pid, int number) => Send(new InitMessage.Signal(pid, number), []);

    /// <summary>Ends the jail and everything in it.</summary>
    public void Kill()
    {
        control.Dispose();
        bubblewrap.Signal(Libc.SigKill);
    }

    // "$1" groups follow; the rest is the program.
    const string EnterGroups = """n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1" || exit 125; shift; n=$((n-1)); done; exec "$@" """;

    async Task<InitMessage> Ask(Func<int, InitMessage> question, SafeHandle[] descriptors, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<InitMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        questions[id] = answer;
        try
        {
            Send(question(id), descriptors);
            await Task.WhenAny(answer.Task, Exited).WaitAsync(AnswerPatience, cancellationToken);
            return answer.Task.IsCompletedSuccessfully ? await answer.Task : throw new IOException("The jail is gone.");
        }
        catch (TimeoutException silence)
        {
            throw new IOException("The jail does not answer.", silence);
        }
        finally
        {
            questions.TryRemove(id, out _);
        }
    }

    void Send(InitMessage message, SafeHandle[] descriptors)
    {
        try
        {
            lock (sending)
                MessageSocket.Send((int)control.SafeHandle.DangerousGetHandle(), message.Encode(), [.. descriptors.Select(descriptor => (int)descriptor.DangerousGetHandle())]);
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("The jail is gone.", closed);
        }
    }

    void Listen()
    {
        var packet = new byte[MessageSocket.MaxBytes];
        var descriptors = new List<int>();
        int length;
        while ((length = MessageSocket.Receive((int)control.SafeHandle.DangerousGetHandle(), packet, descriptors)) > 0)
        {
            // The jail has no business to hand us files.
            foreach (var descriptor in descriptors)
                Libc.close(descriptor);
            descriptors.Clear();
            try
            {
                Take(InitMessage.Decode(packet.AsSpan(0, length)));
            }
            catch (Exception malformed) when (malformed is IOException or FormatException)
            {
                break;
            }
        }

        bubblewrap.Signal(Libc.SigKill);
    }

    void Take(InitMessage message)
    {
        switch (message)
        {
            case InitMessage.Ready:
                ready.TrySetResult();
                break;
            case InitMessage.Executed executed when questions.TryGetValue(executed.Id, out var question):
                question.TrySetResult(executed);
                break;
            case InitMessage.Written written when questions.TryGetValue(written.Id, out var question):
                question.TrySetResult(written);
                break;
            case InitMessage.Exited exited:
                programs.GetOrAdd(exited.Pid, _ => new TaskCompletionSource<WaitStatus>(TaskCreationOptions.RunContinuationsAsynchronously))
                    .TrySetResult(new WaitStatus(exited.Status));
                break;
        }
    }
}

/// <param name="Pid">Its process id in the jail.</param>
/// <param name="Exited">Completes when it has ended.</param>
/// <param name="Jail">Where it runs.</param>
internal sealed record JailProgram(int Pid, Task<WaitStatus> Exited, JailProcess Jail)
{
    public void Signal(int number) => Jail.Signal(Pid, number);
}
