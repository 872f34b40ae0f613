using System.Diagnostics;

namespace Centaur.Bench.Installation;

/// <summary>Runs programs to their end, and ends those that were started.</summary>
internal static class Programs
{
    /// <summary>A program that runs on; what it prints is thrown away, but read.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = Process.Start(Describe(program, arguments, environment))!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    public static async Task<string> Run(
        string program, IEnumerable<string> arguments, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        using var process = Process.Start(Describe(program, arguments, environment))!;
        if (input is not null)
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {process.ExitCode}.\n{errors}");
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    public static async Task End(Process process)
    {
        if (!process.HasExited)
        {
            using var kill = Process.Start("/bin/kill", [$"{process.Id}"]);
            await kill.WaitForExitAsync();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    /// <summary>A program of the machine, in the folders of the path or those of administrators and Postgres; null where it is not there.</summary>
    public static string? Find(string name)
    {
        var folders = ((string[])["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"])
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(folder => $"{folder}/bin") : []);
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    static ProcessStartInfo Describe(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var variable in start.Environment.Keys.Where(key => key.StartsWith("CENTAUR_", StringComparison.Ordinal) || key == "DATABASE_URL").ToList())
            start.Environment.Remove(variable);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return start;
    }
}
