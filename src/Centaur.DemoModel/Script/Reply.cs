namespace Centaur.DemoModel.Script;

/// <summary>What the model says: text, then at most one tool call.</summary>
internal sealed record Reply(IReadOnlyList<TextDelta> Text, ToolCall? Call)
{
    public string WholeText => string.Concat(Text.Select(delta => delta.Text));

    public int OutputTokens => Math.Max(1, (WholeText.Length + (Call?.Input.Length ?? 0) + 3) / 4);
}

/// <param name="Delay">How long the model waits before it says this.</param>
/// <param name="Text">The words.</param>
internal readonly record struct TextDelta(TimeSpan Delay, string Text);

/// <param name="Tool">One of the tools that the client declared.</param>
/// <param name="Input">JSON, or plain text for a free-form tool.</param>
internal sealed record ToolCall(DeclaredTool Tool, string Input);
