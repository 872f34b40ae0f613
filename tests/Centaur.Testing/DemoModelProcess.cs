using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Centaur.Testing;

/// <summary>
/// The demo model as a program of its own on loopback, and what it saw. The test project references Centaur.DemoModel, which puts the program beside it.
/// </summary>
public sealed class DemoModelProcess : IAsyncDisposable
{
    readonly Process process;
    readonly TemporaryFolder folder;

    DemoModelProcess(Process process, TemporaryFolder folder, Uri address)
    {
        this.process = process;
        this.folder = folder;
        Address = address;
    }

    public static string Program => Path.Combine(AppContext.BaseDirectory, "centaur-demo-model");

    /// <summary>Without a path.</summary>
    public Uri Address { get; }

    public string RecordFile => folder["record.ndjson"];

    /// <param name="cancellationToken">Ends the wait for the program.</param>
    /// <param name="key">When given, requests without exactly this key get 401.</param>
    /// <param name="more">Further options.</param>
    public static async Task<DemoModelProcess> Start(CancellationToken cancellationToken, string? key = null, params IReadOnlyList<string> more)
    {
        var own = new TemporaryFolder();
        List<string> arguments =
        [
            "--listen", "127.0.0.1:0", "--record", own["record.ndjson"],
            "--parent-pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), .. more,
        ];
        if (key is not null)
        {
            await File.WriteAllTextAsync(own["key"], key, cancellationToken);
            arguments.AddRange(["--require-key-file", own["key"]]);
        }

        var program = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var line = await program.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The demo model did not start.");
        using var announced = JsonDocument.Parse(line);
        return new DemoModelProcess(program, own, new Uri(announced.RootElement.GetProperty("listening").GetString()!));
    }

    /// <summary>One object a request: time, method, path, query, headers, credential, body.</summary>
    public async Task<IReadOnlyList<JsonElement>> Requests(CancellationToken cancellationToken)
    {
        if (!File.Exists(RecordFile))
            return [];
        var lines = await File.ReadAllLinesAsync(RecordFile, cancellationToken);
        return [.. lines.Select(line => JsonElement.Parse(line))];
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Dispose();
    }
}
