using System.Text;
using Centaur.Cli.Output;

namespace Centaur.Cli.Secrets;

/// <summary>Reads a value from a terminal without echo, or from standard input; never from an argument.</summary>
internal static class SecretInput
{
    const int Longest = 64 * 1024;

    public static async Task<string> Read(Terminal terminal, string name, CancellationToken cancellationToken)
    {
        var value = terminal.InputIsTerminal ? FromTerminal(terminal, name) : WithoutLineEnd(await terminal.Input.ReadToEndAsync(cancellationToken));
        if (value.Length == 0)
            throw new CliError(ExitCode.Usage, "The value is empty.", "Nothing was stored.");
        if (value.Length > Longest)
            throw new CliError(ExitCode.Usage, $"The value is longer than {Longest} letters.", "Nothing was stored.");
        return value;
    }

    static string FromTerminal(Terminal terminal, string name)
    {
        terminal.Error.Write($"Value of {name} (not shown): ");
        var value = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace && value.Length > 0)
                value.Length--;
            else if (!char.IsControl(key.KeyChar))
                value.Append(key.KeyChar);
        }

        terminal.Error.WriteLine();
        return value.ToString();
    }

    static string WithoutLineEnd(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
