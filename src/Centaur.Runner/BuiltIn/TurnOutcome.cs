namespace Centaur.Runner.BuiltIn;

/// <summary>How a turn ended.</summary>
/// <param name="Subtype">A name of the contract's result event.</param>
/// <param name="Text">The answer, or what went wrong.</param>
internal sealed record TurnOutcome(string Subtype, string Text)
{
    public bool IsError => Subtype != "success";

    public int Steps { get; init; }

    public TimeSpan Duration { get; init; }

    public static TurnOutcome Success(string text) => new("success", text);

    public static TurnOutcome Interrupted { get; } = new("interrupted", "interrupted");

    public static TurnOutcome TooManySteps(int steps) => new("error_max_turns", $"The turn was ended after {steps} steps without an answer.");

    public static TurnOutcome Failed(string message) => new("error_during_execution", message);
}
