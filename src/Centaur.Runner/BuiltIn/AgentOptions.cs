namespace Centaur.Runner.BuiltIn;

/// <summary>The settings of the built-in harness, converted once from arguments and environment.</summary>
internal sealed record AgentOptions
{
    public const string ApiVariable = "CENTAUR_MODEL_API";
    public const string BaseUrlVariable = "CENTAUR_MODEL_BASE_URL";
    public const string ModelVariable = "CENTAUR_MODEL";
    public const string KeyVariableVariable = "CENTAUR_MODEL_KEY_VARIABLE";

    /// <summary><c>messages</c> or <c>chat_completions</c>.</summary>
    public required string Api { get; init; }

    public required Uri BaseUrl { get; init; }

    public required string Model { get; init; }

    /// <summary>The model key, or the placeholder that stands for it; null where the model wants none.</summary>
    public required string? Key { get; init; }

    public required string SessionFolder { get; init; }

    public required string Workspace { get; init; }

    public string? ResumeSession { get; init; }

    /// <summary>Calls of the model in one turn.</summary>
    public int MaxSteps { get; init; } = 100;

    /// <summary>Returns null and what is wrong, all of it, where the settings are no good.</summary>
    public static AgentOptions? Read(IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment, string workspace, out string? error)
    {
        var errors = new List<string>();
        if (words is not ([] or ["--resume", _]))
            errors.Add("usage: centaur-runner agent [--resume SESSION]");
        var resume = words is ["--resume", var session] ? session : null;
        if (resume is not null && !Conversations.SessionStore.IsId(resume))
            errors.Add("--resume: not a session id");
        if (environment.GetValueOrDefault(ApiVariable) is not ("messages" or "chat_completions"))
            errors.Add($"{ApiVariable} must be messages or chat_completions");
        if (!Uri.TryCreate(environment.GetValueOrDefault(BaseUrlVariable), UriKind.Absolute, out var baseUrl) || baseUrl.Scheme is not ("https" or "http"))
            errors.Add($"{BaseUrlVariable} must be an http or https address");
        if (environment.GetValueOrDefault(ModelVariable) is not { Length: > 0 } model)
        {
            errors.Add($"{ModelVariable} must name a model");
            model = "";
        }

        var keyVariable = environment.GetValueOrDefault(KeyVariableVariable);
        string? key = null;
        if (keyVariable is { Length: > 0 } && !environment.TryGetValue(keyVariable, out key))
            errors.Add($"{KeyVariableVariable} names {keyVariable}, which is not set");
        error = errors.Count == 0 ? null : string.Join("; ", errors);
        return error is not null ? null : new AgentOptions
        {
            Api = environment[ApiVariable],
            BaseUrl = baseUrl!,
            Model = model,
            Key = key,
            SessionFolder = Path.Combine(environment.GetValueOrDefault("HOME") ?? workspace, ".centaur", "sessions"),
            Workspace = workspace,
            ResumeSession = resume,
        };
    }

    /// <summary>The key never prints.</summary>
    public override string ToString() => $"AgentOptions {{ Api = {Api}, BaseUrl = {BaseUrl}, Model = {Model} }}";
}
