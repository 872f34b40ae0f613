using System.Text.Json.Nodes;

namespace Centaur.Server.Executions.Observations;

/// <summary>What every observation of one execution says of whence it comes (contract §2.3). What is not known is left out.</summary>
/// <param name="ExecutionId">The execution.</param>
/// <param name="ThreadKey">Its thread.</param>
/// <param name="AssignmentGeneration">The assignment that it runs on.</param>
internal sealed record ObservationOrigin(string ExecutionId, string ThreadKey, int AssignmentGeneration)
{
    public string? Harness { get; init; }

    public string? Engine { get; init; }

    public string? PersonaId { get; init; }

    public string? PromptRef { get; init; }

    public string? PromptSha { get; init; }

    string? members;

    /// <summary>An observation's JSON: its type, what it comes from, and its own members.</summary>
    public string Of(string type, JsonObject own)
    {
        // Made once: an execution has many observations.
        members ??= Members().ToJsonString()[1..^1];
        var rest = own.ToJsonString();
        return $$"""{"type":"{{type}}",{{members}}{{(rest.Length > 2 ? "," : "")}}{{rest[1..]}}""";
    }

    JsonObject Members()
    {
        var json = new JsonObject { ["execution_id"] = ExecutionId, ["thread_key"] = ThreadKey, ["assignment_generation"] = AssignmentGeneration };
        foreach (var (name, value) in new[] { ("harness", Harness), ("engine", Engine), ("persona_id", PersonaId), ("prompt_ref", PromptRef), ("prompt_sha", PromptSha) })
        {
            if (value is not null)
                json[name] = value;
        }
        return json;
    }
}
