using Spectre.Console;

namespace Centaur.Cli.Output;

/// <summary>Columns of text on standard output: wrapped to a terminal's width, and one line a row into a pipe.</summary>
internal static class TextTable
{
    public static void Write(Terminal terminal, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(terminal.Out),
        });
        console.Profile.Width = terminal.OutputIsTerminal ? Math.Max(60, Console.WindowWidth) : 10_000;

        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(new Text(heading)) { Padding = new Padding(0, 0, 2, 0), NoWrap = !terminal.OutputIsTerminal });
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(Terminal.Printable(cell))));
        console.Write(table);
    }
}
