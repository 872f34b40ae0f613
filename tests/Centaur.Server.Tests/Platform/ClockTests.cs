using System.Net;
using Centaur.Server.Access;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Tests.Access;
using Centaur.Testing;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Platform;

/// <summary>Two servers on one database; the clock of one jumps.</summary>
public sealed class ClockTests(PostgresServer postgres)
{
    const string Key = "the key of both servers";

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task F14_a_clock_that_jumps_an_hour_ends_no_lease_and_lengthens_and_shortens_no_token(int hours)
    {
        var clock = new JumpingClock();
        var variables = new Dictionary<string, string> { ["SANDBOX_SIGNING_KEY"] = Key };
        await using var jumping = new ServerFixture(postgres) { Clock = clock, Variables = variables, Yaml = "worker: {lease_seconds: 1, renew_seconds: 0.2}\naccess: {sandbox_token_seconds: 1800}\n" };
        await jumping.Start(Cancel);
        await using var steady = await ServerProcess.Start(jumping.ConnectionString, "", Cancel, variables);
        var thread = Tests.Http.NewThread();
        var sandbox = (string)(await jumping.Api.Spawn(thread))["runtime_id"]!;
        var tokens = jumping.Services.GetRequiredService<SandboxTokens>();
        var lease = jumping.Services.GetRequiredService<WorkerLease>();
        var before = await tokens.Mint(thread, sandbox, 1, Cancel);
        var worker = await Held(jumping, lease);

        clock.Set(TimeSpan.FromHours(hours));
        var after = await tokens.Mint(thread, sandbox, 1, Cancel);
        // Longer than the lease: it was renewed with the clock as it is now.
        await Task.Delay(TimeSpan.FromSeconds(1.5), Cancel);

        (await Held(jumping, lease)).ShouldBe(worker);
        var expired = SignedToken.Claims(thread, sandbox);
        expired["expires_at"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 60;
        var fresh = SignedToken.Claims(thread, sandbox);
        fresh["expires_at"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 60;
        foreach (var server in (Uri[])[jumping.Api.BaseAddress!, steady.Api.BaseAddress!])
        {
            (await Read(server, thread, before)).ShouldBe(HttpStatusCode.OK);
            (await Read(server, thread, after)).ShouldBe(HttpStatusCode.OK);
            (await Read(server, thread, SignedToken.Of(fresh, SignedToken.With(Key)))).ShouldBe(HttpStatusCode.OK, "a minute is left of it in true time");
            (await Read(server, thread, SignedToken.Of(expired, SignedToken.With(Key)))).ShouldBe(HttpStatusCode.Unauthorized, "it has been over for a minute in true time");
        }
    }

    static async Task<string> Held(ServerFixture server, WorkerLease lease)
    {
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        while (await database.First($"select 1 from workers where worker_id = {lease.WorkerId} and lease_expires_at > clock_timestamp()", row => row.GetInt32(0), Cancel) != 1)
            await Task.Delay(20, Cancel);
        return lease.WorkerId;
    }

    static async Task<HttpStatusCode> Read(Uri server, string thread, string token)
    {
        using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = server };
        client.DefaultRequestHeaders.Add("X-Api-Key", token);
        return (await client.Get($"/agent/messages?thread_key={Uri.EscapeDataString(thread)}")).Status;
    }
}
