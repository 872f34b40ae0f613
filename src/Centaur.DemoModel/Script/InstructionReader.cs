using System.Globalization;
using System.Text.RegularExpressions;

namespace Centaur.DemoModel.Script;

/// <summary>
/// Finds the instructions in a user's text, in their order. A reply and a command take the rest of their line, so that a command may itself hold the
/// words of another instruction; counting takes only its own words.
/// </summary>
internal static partial class InstructionReader
{
    const int MaxCount = 10_000;

    public static IReadOnlyList<Instruction> Read(string text)
    {
        var found = new List<Instruction>();
        foreach (var line in text.Split('\n'))
            ReadLine(line.TrimEnd('\r'), found);
        return found;
    }

    static void ReadLine(string line, List<Instruction> found)
    {
        for (var match = AnyInstruction().Match(line); match.Success; match = match.NextMatch())
        {
            if (match.Groups["reply"] is { Success: true } reply)
                found.Add(new ReplyExactly(Unwrap(reply.Value.Trim())));
            else if (match.Groups["run"] is { Success: true } run)
                found.Add(new RunCommand(run.Value.Trim()));
            else if (int.TryParse(match.Groups["to"].ValueSpan, CultureInfo.InvariantCulture, out var to))
                found.Add(new CountUp(Math.Min(to, MaxCount), Seconds(match.Groups["every"])));
        }
    }

    /// <summary>"PONG." asks for PONG: one full stop ends the sentence. Quotation marks keep everything between them.</summary>
    static string Unwrap(string text)
    {
        var sentence = text.EndsWith('.') && !text.EndsWith("..", StringComparison.Ordinal) ? text[..^1] : text;
        return sentence is ['"', .., '"'] or ['\'', .., '\''] or ['`', .., '`'] && sentence.Length > 2 ? sentence[1..^1] : sentence;
    }

    static TimeSpan Seconds(Group every) =>
        double.TryParse(every.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, 3600))
            : TimeSpan.Zero;

    [GeneratedRegex(
        """(?<![\w-])(?:reply with exactly:?\s+(?<reply>\S.*)|run:\s*(?<run>\S.*)|count to (?<to>\d{1,9})(?:,? one every (?<every>\d{1,6}(?:\.\d{1,6})?) ?s(?:ec(?:ond)?s?)?\b)?)""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 2000)]
    private static partial Regex AnyInstruction();
}
