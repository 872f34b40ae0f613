using System.Globalization;

namespace Centaur.DemoModel.Script;

/// <summary>
/// What the demo model answers. Every request holds the whole conversation, so the place in the script follows from the number of tool outputs since the
/// user's last text: (1) none yet: begin; (2) some: report the newest, and go on behind the instruction that asked for it;
/// (3) stop at the next command, or at the end.
/// </summary>
internal static class ModelScript
{
    public const string Introduction =
        "This is Centaur's demo model: it only follows \"Reply with exactly X\", \"Run: <command>\" and \"Count to N, one every S seconds\"; "
        + "for a real model set a key with: centaur secrets set OPENAI_API_KEY";

    const int DeltaLength = 24;

    public static Reply Answer(ModelRequest request)
    {
        if (request.ToolOutputs is [.., var last] && ShellTool.Continue(request.Tools, last) is { } more)
            return new Reply([], more);

        var outputs = request.ToolOutputs.Where(output => !ShellTool.IsUnfinished(output)).ToList();
        var instructions = InstructionReader.Read(request.UserText);
        var deltas = new List<TextDelta>();

        // (1), (2)
        var next = 0;
        if (outputs.Count > 0)
        {
            Say(deltas, ShellTool.Report(request.ToolOutputs));
            next = PositionBehindRun(instructions, outputs.Count);
        }
        else if (instructions.Count == 0)
        {
            Say(deltas, Introduction);
        }

        // (3)
        for (; next < instructions.Count; next++)
        {
            switch (instructions[next])
            {
                case ReplyExactly reply:
                    Say(deltas, reply.Text);
                    break;
                case CountUp count:
                    Count(deltas, count);
                    break;
                case RunCommand run when ShellTool.Call(request.Tools, run.Command) is { } call:
                    return new Reply(deltas, call);
                case RunCommand:
                    Say(deltas, "I cannot run a command: the client declared no shell tool.");
                    break;
            }
        }

        return new Reply(deltas, null);
    }

    static int PositionBehindRun(IReadOnlyList<Instruction> instructions, int runs)
    {
        var seen = 0;
        for (var i = 0; i < instructions.Count; i++)
        {
            if (instructions[i] is RunCommand && ++seen == runs)
                return i + 1;
        }

        return instructions.Count;
    }

    static void Say(List<TextDelta> deltas, string text)
    {
        if (deltas.Count > 0)
            deltas.Add(new TextDelta(TimeSpan.Zero, "\n"));
        for (var at = 0; at < text.Length;)
        {
            var end = Math.Min(text.Length, at + DeltaLength);
            if (end < text.Length && char.IsHighSurrogate(text[end - 1]))
                end++;
            deltas.Add(new TextDelta(TimeSpan.Zero, text[at..end]));
            at = end;
        }
    }

    static void Count(List<TextDelta> deltas, CountUp count)
    {
        for (var number = 1; number <= count.To; number++)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            deltas.Add(new TextDelta(number == 1 ? TimeSpan.Zero : count.Every, deltas.Count == 0 ? text : "\n" + text));
        }
    }
}
