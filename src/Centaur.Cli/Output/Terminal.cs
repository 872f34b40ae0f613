using System.Text;

namespace Centaur.Cli.Output;

/// <summary>
/// Answers go to standard output, everything else to standard error. Nothing animates: a line once written stays, with or without a terminal.
/// </summary>
internal sealed class Terminal(TextWriter output, TextWriter error, TextReader input, bool inputIsTerminal, bool outputIsTerminal)
{
    public TextWriter Out { get; } = output;
    public TextWriter Error { get; } = error;
    public TextReader Input { get; } = input;
    public bool InputIsTerminal { get; } = inputIsTerminal;
    public bool OutputIsTerminal { get; } = outputIsTerminal;

    bool HasNotes { get; init; } = true;

    public static Terminal OfThisProcess() =>
        new(Console.Out, Console.Error, Console.In, !Console.IsInputRedirected, !Console.IsOutputRedirected);

    /// <summary>The same, for whoever wants no progress; failures are reported all the same.</summary>
    public Terminal WithoutNotes() => new(Out, Error, Input, InputIsTerminal, OutputIsTerminal) { HasNotes = false };

    /// <summary>One line of progress.</summary>
    public void Note(string text)
    {
        if (HasNotes)
            Error.WriteLine(Printable(text));
    }

    /// <summary>An answer. To a terminal without control characters, which could rewrite what the reader sees; to a file as it is.</summary>
    public void Answer(string text) => Out.WriteLine(OutputIsTerminal ? Printable(text, keepLines: true) : text);

    public void Report(CliError failure)
    {
        Error.WriteLine($"centaur: {Printable(failure.Message, keepLines: true)}");
        foreach (var line in failure.Evidence)
            Error.WriteLine($"    {Printable(line)}");
        if (failure.Meaning is not null)
            Error.WriteLine($"  {Printable(failure.Meaning, keepLines: true)}");
        if (failure.Remedy is not null)
            Error.WriteLine($"  To do: {Printable(failure.Remedy, keepLines: true)}");
    }

    /// <summary>Text that somebody else wrote, without the characters that steer a terminal.</summary>
    public static string Printable(string text, bool keepLines = false)
    {
        if (!text.Any(char.IsControl))
            return text;

        var clean = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (!char.IsControl(letter) || (keepLines && letter is '\n' or '\t'))
                clean.Append(letter);
            else if (letter is '\n' or '\t')
                clean.Append(' ');
        }

        return clean.ToString();
    }
}
