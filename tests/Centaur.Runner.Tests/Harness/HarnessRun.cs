using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Testing;

namespace Centaur.Runner.Tests.Harness;

/// <summary>
/// What the keeper is to a driver, around a real harness process: the jail's paths by bubblewrap, the host's loopback for the model.
/// Calls of the driver are serialised, as the keeper does it.
/// </summary>
internal sealed class HarnessRun : IHarnessPipe, IAsyncDisposable
{
    static readonly byte[] LineFeed = [(byte)'\n'];

    readonly IHarnessDriver driver;
    readonly Process process;
    readonly LineWriter input;
    readonly SemaphoreSlim turn = new(1, 1);
    readonly CancellationTokenSource stopping = new();
    readonly Channel<JsonElement> events = Channel.CreateUnbounded<JsonElement>();
    readonly List<JsonElement> seen = [];
    TaskCompletionSource<JsonElement> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task pump = Task.CompletedTask;

    HarnessRun(IHarnessDriver driver, Process process)
    {
        this.driver = driver;
        this.process = process;
        input = new LineWriter(process.StandardInput.BaseStream);
    }

    public static async Task<HarnessRun> Start(IHarnessDriver driver, HarnessLaunch launch, TemporaryFolder home, CancellationToken cancellationToken)
    {
        var command = driver.Command(launch);
        Directory.CreateDirectory(home["workspace"]);
        foreach (var file in command.Files)
        {
            var path = Path.Combine(home.FullPath, Path.GetRelativePath(JailPaths.Home, file.Path));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, file.Content, cancellationToken);
        }

        var start = new ProcessStartInfo("bwrap",
        [
            "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", "/tmp", "/tmp",
            "--tmpfs", "/home", "--bind", home.FullPath, JailPaths.Home,
            "--tmpfs", "/opt", "--ro-bind", AppContext.BaseDirectory, Path.GetDirectoryName(JailPaths.Runner)!,
            "--chdir", JailPaths.Workspace, "--setenv", "HOME", JailPaths.Home, "--", .. command.Arguments,
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        var run = new HarnessRun(driver, Process.Start(start)!);
        run.process.ErrorDataReceived += (_, _) => { };
        run.process.BeginErrorReadLine();
        await run.Serially(() => driver.Start(launch, run, cancellationToken), cancellationToken);
        run.pump = run.Pump();
        return run;
    }

    public IReadOnlyList<JsonElement> Events
    {
        get
        {
            lock (seen)
                return [.. seen];
        }
    }

    /// <summary>Runs a whole turn and returns its terminal event.</summary>
    public async Task<JsonElement> Turn(string text, CancellationToken cancellationToken)
    {
        await StartTurn(text, cancellationToken);
        return await EndOfTurn(cancellationToken);
    }

    public Task StartTurn(string text, CancellationToken cancellationToken)
    {
        ended = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        return Serially(() => driver.StartTurn(Message(text), cancellationToken), cancellationToken);
    }

    /// <summary>The last event before the driver said that the turn is over.</summary>
    public Task<JsonElement> EndOfTurn(CancellationToken cancellationToken) => ended.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);

    public async Task<bool> Steer(string text, CancellationToken cancellationToken)
    {
        var taken = false;
        await Serially(async () => taken = await driver.Steer(Message(text), cancellationToken), cancellationToken);
        return taken;
    }

    public Task Interrupt(CancellationToken cancellationToken) => Serially(() => driver.Interrupt(cancellationToken), cancellationToken);

    /// <summary>Waits for an event that has not been waited for before.</summary>
    public async Task<JsonElement> Next(Func<JsonElement, bool> wanted, CancellationToken cancellationToken)
    {
        await foreach (var happened in events.Reader.ReadAllAsync(cancellationToken))
        {
            if (wanted(happened))
                return happened;
        }

        throw new InvalidOperationException("The harness ended first.");
    }

    public static bool IsType(JsonElement happened, string type) => happened.GetProperty("type").GetString() == type;

    public async Task Write(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) =>
        await input.Write(new ReadOnlyMemory<byte>([.. json.Span, .. LineFeed]), cancellationToken);

    public Task Emit(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        var happened = JsonElement.Parse(json.Span);
        lock (seen)
            seen.Add(happened);
        events.Writer.TryWrite(happened);
        return Task.CompletedTask;
    }

    public void EndTurn() => ended.TrySetResult(Events[^1]);

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await stopping.CancelAsync();
        await pump;
        process.Dispose();
        input.Dispose();
        turn.Dispose();
        stopping.Dispose();
    }

    async Task Pump()
    {
        await using var reader = new LineReader(process.StandardOutput.BaseStream, 8 << 20);
        try
        {
            while (await reader.Read(stopping.Token) is { Kind: LineKind.Complete } line)
                await Serially(() => driver.Receive(JsonElement.Parse(line.Bytes.Span), stopping.Token), stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        finally
        {
            events.Writer.TryComplete();
        }
    }

    async Task Serially(Func<Task> action, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await action();
        }
        finally
        {
            turn.Release();
        }
    }

    static JsonElement Message(string text)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("role", "user");
            writer.WriteStartArray("content");
            writer.WriteStartObject();
            writer.WriteString("type", "text");
            writer.WriteString("text", text);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return JsonElement.Parse(Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
