namespace Centaur.Cli.Ask;

/// <summary>What a user asked for.</summary>
internal sealed record AskRequest
{
    public required string Prompt { get; init; }
    public string? ThreadKey { get; init; }
    public string? Harness { get; init; }
    public string? Repository { get; init; }

    /// <summary>Names the request: the same id again is the same execution.</summary>
    public string? Id { get; init; }
    public bool Json { get; init; }
    public bool Quiet { get; init; }
}

/// <summary>What <c>ask --json</c> prints.</summary>
internal sealed record AskResult
{
    public required string ThreadKey { get; init; }
    public required string ExecutionId { get; init; }
    public required string Status { get; init; }
    public string? TerminalReason { get; init; }
    public string? ResultText { get; init; }
    public string? ErrorText { get; init; }
    public string? Harness { get; init; }
    public string? HarnessVersion { get; init; }
    public string? Model { get; init; }
    public bool DemoModel { get; init; }
    public long DurationMs { get; init; }
}
