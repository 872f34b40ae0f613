using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;

namespace Centaur.Server.Threads;

/// <summary><c>POST /agent/spawn</c>.</summary>
internal static class SpawnEndpoint
{
    static readonly CrashPoint Spawning = new("thread.spawn");
    const int MaxPrompt = 1 << 20;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/spawn", Handle)
            .Needs(Scopes.Execute).WithTags("threads").WithSummary("Bind a thread to a harness and a sandbox")
            .Accepts<SpawnBody>("application/json").Produces<SpawnResponse>().Produces<ControlBody>(409).ProducesEither<InvalidBody, ControlBody>(422);

    static async Task<IResult> Handle(HttpContext http, PostgresDatabase database, SpawnThread spawn, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var request = new SpawnRequest(
            body.ThreadKeyOf(), body.IdOf("spawn_id", "spawn-"), body.OptionalText("harness", 100), body.OptionalText("engine", 100), body.OptionalText("persona_id", 200),
            body.OptionalText("agents_md_override", MaxPrompt)) { ApiKeyId = http.Caller().ApiKeyId };
        if ((body.Invalid ?? http.Enter(request.ThreadKey)) is { } refused)
            return refused;

        var outcome = await database.InTransaction(
            Spawning,
            async session =>
            {
                await session.LockThread(request.ThreadKey, cancellationToken);
                return await spawn.Run(session, request, http.Trace().Given, cancellationToken);
            },
            keep: o => o.Succeeded,
            cancellationToken);
        return outcome.ToHttp();
    }
}

/// <summary>What a client asks of a thread's runtime; what it leaves out is what the thread has, or the default.</summary>
public sealed record SpawnBody(string ThreadKey, string? SpawnId, string? Harness, string? Engine, string? PersonaId, string? AgentsMdOverride);
