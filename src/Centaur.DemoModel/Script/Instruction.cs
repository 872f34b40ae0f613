namespace Centaur.DemoModel.Script;

/// <summary>One thing that the demo model was told to do.</summary>
internal abstract record Instruction;

/// <summary><c>Reply with exactly X</c>.</summary>
internal sealed record ReplyExactly(string Text) : Instruction;

/// <summary><c>Run: command</c>.</summary>
internal sealed record RunCommand(string Command) : Instruction;

/// <summary><c>Count to N, one every S seconds</c>.</summary>
internal sealed record CountUp(int To, TimeSpan Every) : Instruction;
