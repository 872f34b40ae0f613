namespace Centaur.Protocol.Sandbox;

/// <summary>Whose sandbox this becomes.</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="TraceId">A UUID that follows the thread everywhere.</param>
/// <param name="Token">The sandbox token, bound to thread, sandbox and generation; written to <see cref="JailPaths.ApiKeyFile"/>.</param>
public sealed record SandboxIdentity(string ThreadKey, string TraceId, string Token)
{
    /// <summary>The token never prints.</summary>
    public override string ToString() => $"SandboxIdentity {{ ThreadKey = {ThreadKey}, TraceId = {TraceId} }}";
}

/// <summary>How to start a harness; the runner has one driver for each <see cref="Driver"/>.</summary>
public sealed record HarnessLaunch
{
    /// <summary><c>codex</c> or <c>built-in</c>.</summary>
    public required string Driver { get; init; }

    /// <summary>The program's path in the jail.</summary>
    public required string Program { get; init; }

    /// <summary>The version of the CLI, for the answer's metadata.</summary>
    public required string Version { get; init; }

    /// <summary>The model's name, or null for the harness's own default.</summary>
    public string? Model { get; init; }

    /// <summary>Which wire API the model's host speaks: <c>responses</c>, <c>chat_completions</c> or <c>messages</c>.</summary>
    public required string ModelApi { get; init; }

    /// <summary>The model's base address as the jail sees it, for example <c>https://api.openai.com/v1</c>.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The variable in <see cref="Environment"/> that holds the model key's placeholder; null where the model wants no key.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>Placeholders and settings, by variable name.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The text of AGENTS.md, or null to leave the workspace's own.</summary>
    public string? Instructions { get; init; }

    /// <summary>The harness's own session or thread id to resume, if it had one.</summary>
    public string? ResumeThreadId { get; init; }
}

/// <summary>One step of preparing a workspace. A step that fails fails the turn, with its output.</summary>
/// <param name="Description">For people, for example <c>clone the repository</c>.</param>
/// <param name="Arguments">Program and arguments, as the jail sees them; run in <see cref="JailPaths.Workspace"/>.</param>
/// <param name="TimeoutSeconds">Longer is a failure.</param>
public sealed record SetupCommand(string Description, IReadOnlyList<string> Arguments, int TimeoutSeconds = 600);
