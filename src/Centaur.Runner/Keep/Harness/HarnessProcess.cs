using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Jail;
using Centaur.Runner.Keep.Limits;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep.Harness;

/// <summary>One process of a harness in the jail, its three streams, and the driver that speaks its language.</summary>
internal sealed class HarnessProcess : IHarnessPipe, IDisposable
{
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    readonly IHarnessDriver driver;
    readonly TurnDesk desk;
    readonly JailProgram program;
    readonly IResourceGroup group;
    readonly Socket input;
    readonly LastWords lastWords;
    readonly SemaphoreSlim gate = new(1, 1);
    readonly Channel<byte[]> outgoing = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    readonly long killsBefore;
    string? askedEnd;

    HarnessProcess(IHarnessDriver driver, TurnDesk desk, JailProgram program, IResourceGroup group, Socket input, LastWords lastWords)
    {
        this.driver = driver;
        this.desk = desk;
        this.program = program;
        this.group = group;
        this.input = input;
        this.lastWords = lastWords;
        killsBefore = group.OutOfMemoryKills();
    }

    /// <summary>Completes when the process has ended and everything that it wrote has been read.</summary>
    public Task<ProcessEnd> Ended { get; private set; } = null!;

    /// <exception cref="IOException">It could not be started.</exception>
    public static async Task<HarnessProcess> Start(
        HarnessLaunch launch, HarnessSurroundings around, TurnDesk desk, CancellationToken cancellationToken)
    {
        var speaker = HarnessDrivers.Make(launch.Driver) ?? throw new IOException($"No driver is named {launch.Driver}.");
        var command = speaker.Command(launch);
        foreach (var file in command.Files)
            await around.Jail.Write(file.Path, KeeperFolders.PublicFile, Encoding.UTF8.GetBytes(file.Content), cancellationToken);
        var environment = JailEnvironment.For(around.Spec.Toolchain, around.Identity);
        foreach (var (name, value) in command.Environment)
            environment[name] = value;

        var (input, theirInput) = SocketPair.Stream();
        var (output, theirOutput) = SocketPair.Stream();
        var (errors, theirErrors) = SocketPair.Stream();
        var errorLog = new LastWords(errors, around.LogPath);
        HarnessProcess process;
        using (theirInput)
        using (theirOutput)
        using (theirErrors)
        {
            var started = await around.Jail.Execute(command.Arguments, environment, [theirInput, theirOutput, theirErrors], cancellationToken);
            process = new HarnessProcess(speaker, desk, started, around.Group, input, errorLog);
        }

        desk.Notice(KeeperNotices.HarnessStarted(launch.Driver, launch.Version, process.program.Pid));
        var reading = new HarnessOutput(output, around.Spec.Limits, desk, around.Time).Listen(process.Receive, around.Stopping);
        process.Ended = process.AwaitEnd(reading, errorLog.Listen(around.Stopping), process.Send(around.Stopping));
        try
        {
            await process.Exclusively(() => speaker.Start(launch, process, cancellationToken), cancellationToken).WaitAsync(StartPatience, cancellationToken);
        }
        catch (Exception failure) when (failure is TimeoutException or IOException)
        {
            process.Kill(ExitCauses.StartFailed);
            throw new IOException($"{launch.Driver} did not start: {failure.Message}", failure);
        }

        return process;
    }

    /// <summary>Gives the harness a turn whose id has been written down.</summary>
    public Task StartTurn(string turn, JsonElement message, CancellationToken cancellationToken) => Exclusively(
        async () =>
        {
            desk.Begin(turn);
            await driver.StartTurn(message, cancellationToken);
        },
        cancellationToken);

    /// <summary>True where the running step takes it.</summary>
    public async Task<bool> Steer(JsonElement message, CancellationToken cancellationToken)
    {
        var applied = false;
        await Exclusively(async () => applied = await driver.Steer(message, cancellationToken), cancellationToken);
        return applied;
    }

    /// <summary>Asks for the end of a turn, and kills the process group where that is not heeded in time.</summary>
    public async Task Interrupt(string turn, TimeSpan grace, TimeProvider time, CancellationToken cancellationToken)
    {
        var over = Task.Delay(grace, time, cancellationToken);
        var asking = Exclusively(() => desk.Turn == turn ? driver.Interrupt(cancellationToken) : Task.CompletedTask, cancellationToken);
        await Task.WhenAny(over, Ended);
        if (desk.Turn == turn && !Ended.IsCompleted)
            Kill(ExitCauses.Interrupted);
        await asking;
    }

    /// <summary>Ends the process with all that descends from it.</summary>
    /// <param name="cause">One of <see cref="ExitCauses"/>.</param>
    public void Kill(string cause)
    {
        Interlocked.CompareExchange(ref askedEnd, cause, null);
        program.Signal(Libc.SigKill);
    }

    public void Dispose()
    {
        gate.Dispose();
        input.Dispose();
    }

    Task IHarnessPipe.Write(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        // Never waits for the harness: one that does not read must not keep us from hearing it.
        outgoing.Writer.TryWrite([.. json.Span, (byte)'\n']);
        return Task.CompletedTask;
    }

    Task IHarnessPipe.Emit(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        desk.Emit(json.Span);
        return Task.CompletedTask;
    }

    void IHarnessPipe.EndTurn() => desk.End();

    Task Receive(JsonElement line, CancellationToken cancellationToken) => Exclusively(() => driver.Receive(line, cancellationToken), cancellationToken);

    async Task Exclusively(Func<Task> action, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await action();
        }
        finally
        {
            gate.Release();
        }
    }

    async Task Send(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var line in outgoing.Reader.ReadAllAsync(stoppingToken))
            {
                for (ReadOnlyMemory<byte> rest = line; !rest.IsEmpty;)
                    rest = rest[await input.SendAsync(rest, SocketFlags.None, stoppingToken)..];
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // It closed its standard input; its end says the rest.
        }
    }

    async Task<ProcessEnd> AwaitEnd(Task reading, Task listening, Task sending)
    {
        var exited = await Task.WhenAny(program.Exited, program.Jail.Exited);
        outgoing.Writer.TryComplete();
        try
        {
            // What it wrote before it ended is still in its pipe; a descendant that holds the pipe open is not waited for.
            await Task.WhenAll(reading, listening).WaitAsync(DrainPatience);
        }
        catch (Exception failure) when (failure is TimeoutException or IOException or SocketException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"harness: its output was left at its end: {failure.Message}");
        }

        input.Dispose();
        await sending;
        var status = await exited;
        var outOfMemory = group.OutOfMemoryKills() > killsBefore;
        return ProcessEnd.Of("The harness", status, askedEnd, outOfMemory, lastWords.Quote);
    }
}

/// <summary>What a harness is started into.</summary>
internal sealed record HarnessSurroundings(
    SandboxSpec Spec, JailProcess Jail, IResourceGroup Group, SandboxIdentity Identity, string LogPath, TimeProvider Time, CancellationToken Stopping);
