using System.Diagnostics;

namespace Centaur.EndToEnd;

/// <summary>The published programs under test, and how to run them to their end.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();

    public static string Cli => Dist("cli", "centaur-cli");

    public static string DemoModel => Dist("demo-model", "centaur-demo-model");

    public static string Dist(string folder, string program)
    {
        var path = Path.Combine(Root, "artifacts", "dist", folder, program);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run the tests through ./centaur test, which builds the programs first.");
    }

    public static Task<Finished> Run(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string? input, CancellationToken cancellationToken) =>
        Run(command[0], command.Skip(1), environment, input, cancellationToken);

    public static async Task<Finished> Run(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string? input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var variable in start.Environment.Keys.Where(k => k.StartsWith("CENTAUR_", StringComparison.Ordinal) || k == "DATABASE_URL").ToList())
            start.Environment.Remove(variable);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        if (input is not null)
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return new Finished(process.ExitCode, await output, await errors);
    }

    /// <summary>Waits for what another process does and nobody announces.</summary>
    public static async Task Until(Func<bool> condition, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        while (!condition())
            await Task.Delay(20, limit.Token);
    }

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Centaur.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("No Centaur.slnx above the test program: run it from a checkout.");
    }
}

/// <summary>A program that has ended.</summary>
internal sealed record Finished(int ExitCode, string Output, string Errors)
{
    public Finished Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException($"Exit code {ExitCode}.\n{Errors}\n{Output}");
}
