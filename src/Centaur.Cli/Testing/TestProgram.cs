using System.Diagnostics;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Testing;

/// <summary>
/// Runs one test program and reads its report as it happens: a JSON object a line (xunit v3's <c>json</c> reporter). A program that ends without saying
/// that it finished has failed, whatever it said before.
/// </summary>
internal sealed class TestProgram(CliContext context, SourceTree tree, TestProject project)
{
    const int MostEvidence = 30;

    readonly Dictionary<string, string> names = new(StringComparer.Ordinal);
    bool finished;

    /// <summary>The full names of the tests that the selection includes.</summary>
    public async Task<IReadOnlyList<string>> List(TestSelection selection, CancellationToken cancellationToken)
    {
        var run = await ProcessRun.Of(Command(["-list", "methods/json", .. selection.Arguments()]), cancellationToken);
        if (!run.Succeeded)
            throw new CliError(ExitCode.Failed, $"{project.Name} cannot list its tests.") { Evidence = run.Tail() };
        var start = run.Output.IndexOf('[', StringComparison.Ordinal);
        return start < 0
            ? []
            : [.. JsonSerializer.Deserialize(run.Output[start..], CliJson.Default.JsonElement).EnumerateArray().Select(name => name.ToString())];
    }

    public async Task Run(TestSelection selection, TestTally tally, CancellationToken cancellationToken)
    {
        var before = (tally.Passed, Failed: tally.Failed.Count, tally.Skipped);
        var begun = context.Time.GetTimestamp();
        var rest = new Queue<string>();
        List<string> arguments = ["-reporter", "json", "-noAutoReporters", "-longRunning", "120", .. selection.Arguments()];
        if (context.Variable("CI") is not null)
            arguments.Add("-failSkips");

        var start = Command(arguments).ToStartInfo();
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        // What tests start and kill would leave its diagnostics sockets in /tmp.
        start.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        using var process = Process.Start(start)!;
        try
        {
            await Task.WhenAll(
                Read(process.StandardOutput, line => Understand(line, tally, rest), cancellationToken),
                Read(process.StandardError, line => Keep(rest, line), cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        var failed = tally.Failed.Count - before.Failed;
        if (!finished || (process.ExitCode != 0 && failed == 0))
        {
            tally.Failed.Add(new FailedTest(project.Name, $"The test program ended with {process.ExitCode} and did not finish its run.\n{string.Join('\n', rest)}"));
            failed++;
        }

        var ran = tally.Passed - before.Passed + failed;
        if (ran > 0)
            context.Terminal.Note($"{(failed == 0 ? "ok  " : "FAIL")} {project.Name}: {tally.Passed - before.Passed} passed, {failed} failed, {tally.Skipped - before.Skipped} skipped in {context.Time.GetElapsedTime(begun).TotalSeconds:0.0} s");
    }

    ProcessCommand Command(IReadOnlyList<string> arguments)
    {
        var program = tree.ProgramOf(project.Name);
        return new ProcessCommand(ProgramPaths.Built(program), ["-noLogo", "-noColor", .. arguments]) { Folder = Path.GetDirectoryName(program)! };
    }

    static async Task Read(StreamReader stream, Action<string> take, CancellationToken cancellationToken)
    {
        while (await stream.ReadLineAsync(cancellationToken) is { } line)
            take(line);
    }

    void Understand(string line, TestTally tally, Queue<string> rest)
    {
        if (!line.StartsWith("{\"$type\":", StringComparison.Ordinal))
        {
            Keep(rest, line);
            return;
        }

        var message = JsonSerializer.Deserialize(line, CliJson.Default.JsonElement);
        switch (message.GetProperty("$type").GetString())
        {
            case "test-starting":
                names[Text(message, "TestUniqueID")] = Text(message, "TestDisplayName");
                break;
            case "test-passed":
                tally.Passed++;
                break;
            case "test-skipped":
                tally.Skipped++;
                context.Terminal.Note($"skipped {Name(message)}: {Text(message, "Reason")}");
                break;
            case "test-failed" or "error" or "test-assembly-cleanup-failure" or "test-collection-cleanup-failure" or "test-class-cleanup-failure"
                or "test-method-cleanup-failure" or "test-case-cleanup-failure" or "test-cleanup-failure":
                tally.Failed.Add(new FailedTest(Name(message), Explanation(message)));
                context.Terminal.Note($"FAILED {Name(message)}");
                break;
            case "diagnostic":
                context.Terminal.Note(Text(message, "Message"));
                break;
            case "test-assembly-finished":
                finished = true;
                break;
        }
    }

    static void Keep(Queue<string> rest, string line)
    {
        rest.Enqueue(line);
        if (rest.Count > MostEvidence)
            rest.Dequeue();
    }

    string Name(JsonElement message) => names.GetValueOrDefault(Text(message, "TestUniqueID")) ?? project.Name;

    static string Explanation(JsonElement message)
    {
        var said = string.Join('\n', Texts(message, "Messages"));
        var trace = string.Join('\n', Texts(message, "StackTraces").SelectMany(each => each.Split('\n')).Where(line => line.Contains(" in ", StringComparison.Ordinal)).Take(8));
        return trace.Length == 0 ? said : $"{said}\n{trace}";
    }

    static IEnumerable<string> Texts(JsonElement message, string name) =>
        message.TryGetProperty(name, out var values) && values.ValueKind == JsonValueKind.Array ? values.EnumerateArray().Select(value => value.ToString()) : [];

    static string Text(JsonElement message, string name) => message.TryGetProperty(name, out var value) ? value.ToString() : "";
}
