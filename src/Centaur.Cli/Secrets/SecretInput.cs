using System.Text;
using Centaur.Cli.Output;

namespace Centaur.Cli.Secrets;

/// <summary>Reads a value from a terminal without echo, or from standard input; never from an argument.</summary>
internal static class SecretInput
{
    const int Longest = 64 * 1024;
    const char EndOfInput = '\x04';

    public static async Task<string> Read(Terminal terminal, string name, CancellationToken cancellationToken)
    {
        var value = terminal.InputIsTerminal ? await FromTerminal(terminal, name, () => Console.ReadKey(intercept: true), cancellationToken) : WithoutLineEnd(await terminal.Input.ReadToEndAsync(cancellationToken));
        if (value.Length == 0)
            throw new CliError(ExitCode.Usage, "The value is empty.", "Nothing was stored.");
        if (value.Any(letter => char.IsControl(letter) && letter != '\t' && !(letter is '\n' or '\r' && IsKeyFile(value))))
        {
            throw new CliError(
                ExitCode.Usage, "The value has more than one line, or a control character.", "It goes into a header, which has one line; only a key in PEM and a JSON object may have more. Nothing was stored.");
        }
        if (value.Length > Longest)
            throw new CliError(ExitCode.Usage, $"The value is longer than {Longest} letters.", "Nothing was stored.");
        return value;
    }

    /// <summary>Ends at Enter or Ctrl-D. Ctrl-C is a signal, which a read that waits for a key does not see: it is left waiting in a thread of its own.</summary>
    internal static async Task<string> FromTerminal(Terminal terminal, string name, Func<ConsoleKeyInfo> nextKey, CancellationToken cancellationToken)
    {
        terminal.Error.Write($"Value of {name} (not shown): ");
        try
        {
            return await Task.Factory.StartNew(() => Typed(nextKey), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(cancellationToken);
        }
        finally
        {
            terminal.Error.WriteLine();
        }
    }

    /// <summary>What tokens and signatures are made of, and no header ever holds.</summary>
    static bool IsKeyFile(string value) => value.StartsWith("-----BEGIN ", StringComparison.Ordinal) || (value.StartsWith('{') && value.EndsWith('}'));

    static string Typed(Func<ConsoleKeyInfo> nextKey)
    {
        var value = new StringBuilder();
        while (nextKey() is { Key: not ConsoleKey.Enter, KeyChar: not EndOfInput } key)
        {
            if (key.Key == ConsoleKey.Backspace && value.Length > 0)
                value.Length--;
            else if (!char.IsControl(key.KeyChar))
                value.Append(key.KeyChar);
        }

        return value.ToString();
    }

    static string WithoutLineEnd(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
