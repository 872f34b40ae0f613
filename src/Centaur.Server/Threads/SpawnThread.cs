using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Threads;

/// <summary>What a client asks of a thread's runtime (contract §1.2); null is "whatever it has, or the default".</summary>
public sealed record SpawnRequest(string ThreadKey, string SpawnId, string? Harness, string? Engine, string? PersonaId, string? AgentsMdOverride)
{
    /// <summary>The API key that asks, whose thread a new one will be; null where no key does.</summary>
    public string? ApiKeyId { get; init; }
}

public sealed record SpawnResponse(
    bool Ok, string RuntimeId, string ThreadKey, Guid TraceId, string AssignmentState, int AssignmentGeneration, string? PersonaId, string PromptRef,
    string EffectiveAgentsMdSha256);

/// <summary>
/// Binds a thread to a harness and a sandbox, or finds it bound (contract §1.2).
/// <para>1. A request that names nothing takes what the active assignment has. 2. The harness is the named one or the default, and must be known. 3. The same id with the same payload
/// is answered as before, with another payload it is refused. 4. An active assignment with another harness or prompt is refused, before anything is written. 5. The sandbox is reserved.
/// 6. The assignment is made, and the thread the asking key's where it is the first, or its sandbox is refreshed. 7. The answer is remembered.</para>
/// </summary>
public sealed class SpawnThread(ThreadOptions options, AssignmentStore assignments, SandboxReservations sandboxes, ThreadTraces traces)
{
    /// <summary>In the caller's transaction, which must hold the thread's lock.</summary>
    public async Task<Outcome<SpawnResponse>> Run(SqlSession session, SpawnRequest request, Guid? traceId, CancellationToken cancellationToken)
    {
        if (request.PersonaId is { } persona)
            return ApiFailure.Control("UNKNOWN_PERSONA_ID", $"There is no persona {persona}.", StatusCodes.Status422UnprocessableEntity);

        // 1.
        var active = await assignments.Active(session, request.ThreadKey, cancellationToken);
        if (active is not null && request is { Harness: null, Engine: null, AgentsMdOverride: null })
            request = request with { Harness = active.Harness, Engine = active.Engine, AgentsMdOverride = active.AgentsMdOverride };

        // 2.
        var harness = request.Harness ?? options.DefaultHarness;
        if (!options.Harnesses.Contains(harness))
            return ApiFailure.Control("UNKNOWN_HARNESS", $"There is no harness {harness}. Known: {string.Join(", ", options.Harnesses)}.", StatusCodes.Status422UnprocessableEntity);

        // 3.
        var hash = CanonicalJson.Hash(new JsonObject
        {
            ["thread_key"] = request.ThreadKey, ["spawn_id"] = request.SpawnId, ["harness"] = harness, ["engine"] = request.Engine,
            ["persona_id"] = request.PersonaId, ["agents_md_override"] = request.AgentsMdOverride,
        });
        if (await assignments.SpawnRequest(session, request.ThreadKey, request.SpawnId, cancellationToken) is { } before)
        {
            return before.Hash == hash
                ? JsonSerializer.Deserialize<SpawnResponse>(before.ResponseJson, ApiJson.Options)!
                : ThreadRequest.PayloadMismatch("spawn_id", request.SpawnId);
        }

        // 4.
        var promptRef = Assignment.PromptRefOf(harness, request.PersonaId);
        var promptSha = Assignment.PromptShaOf(request.AgentsMdOverride, promptRef);
        if (active is not null && (active.Harness != harness || active.PromptSha != promptSha))
        {
            return ApiFailure.Control(
                "ACTIVE_ASSIGNMENT_PROMPT_MISMATCH",
                $"The thread is assigned to {active.PromptRef} with another prompt or harness. Release it first, or use another thread.");
        }

        // 5.
        var sandboxId = await sandboxes.Reserve(session, request.ThreadKey, harness, cancellationToken);

        // 6.
        var assignment = new Assignment(active?.Generation ?? 0, sandboxId, harness, request.Engine, request.PersonaId, promptRef, promptSha, request.AgentsMdOverride);
        if (active is null)
        {
            assignment = assignment with { Generation = await assignments.Insert(session, request.ThreadKey, assignment, cancellationToken) };
            if (assignment.Generation == Assignment.FirstGeneration && request.ApiKeyId is { } owner)
                await assignments.Own(session, request.ThreadKey, owner, cancellationToken);
        }
        else
        {
            await assignments.RefreshRuntime(session, request.ThreadKey, active.Generation, sandboxId, cancellationToken);
        }
        var trace = await traces.Of(session, request.ThreadKey, traceId, cancellationToken);
        await assignments.UpsertSession(session, request.ThreadKey, assignment, trace, cancellationToken);

        // 7.
        var response = new SpawnResponse(true, sandboxId, request.ThreadKey, trace, "assigned_idle", assignment.Generation, assignment.PersonaId, promptRef, promptSha);
        await assignments.RememberSpawn(
            session, request.ThreadKey, request.SpawnId, new StoredRequest(hash, JsonSerializer.Serialize(response, ApiJson.Options)), cancellationToken);
        return response;
    }
}
