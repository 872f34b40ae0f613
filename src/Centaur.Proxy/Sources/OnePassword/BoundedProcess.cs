using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Centaur.Proxy.Sources.OnePassword;

/// <summary>Runs a program to its end with the given environment and no other, its time and its output bounded. It is killed with its children where it exceeds them.</summary>
static class BoundedProcess
{
    const int LongestErrors = 16 * 1024;

    public static async Task<ProcessOutcome> Run(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan patience, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/",
        };
        start.Environment.Clear();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                process.StandardInput.Close();
                var output = ReadAll(process.StandardOutput.BaseStream, SourceReader.LongestValue, limit.Token);
                var errors = ReadAll(process.StandardError.BaseStream, LongestErrors, limit.Token);
                // Whichever says too much ends it at once: the other would wait for a program that waits for us.
                await await Task.WhenAny(output, errors);
                await Task.WhenAll(output, errors);
                await process.WaitForExitAsync(limit.Token);
                return new ProcessOutcome(process.ExitCode, await output, Encoding.UTF8.GetString(await errors), null);
            }
            finally
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (Win32Exception)
        {
            return ProcessOutcome.Failed($"cannot be started: there is no program {program}, or it may not be run");
        }
        catch (InvalidDataException)
        {
            return ProcessOutcome.Failed("says more than a value can be");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProcessOutcome.Failed($"did not end within {patience.TotalSeconds} seconds");
        }
    }

    static async Task<byte[]> ReadAll(Stream stream, int most, CancellationToken cancellationToken)
    {
        var bytes = new byte[most + 1];
        var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return read > most ? throw new InvalidDataException() : bytes[..read];
    }
}

/// <param name="ExitCode">How it ended.</param>
/// <param name="Output">What it wrote; may be a value.</param>
/// <param name="Errors">What it complained of.</param>
/// <param name="Problem">Why it did not come to its end, to follow its name in a sentence.</param>
sealed record ProcessOutcome(int ExitCode, byte[] Output, string Errors, string? Problem)
{
    public static ProcessOutcome Failed(string problem) => new(-1, [], "", problem);

    public override string ToString() => $"ProcessOutcome {{ ExitCode = {ExitCode}, Problem = {Problem} }}";
}
