using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Centaur.Server.Tests.Executions;

/// <summary>The statements of one worker, with a lease of its own that holds for a minute.</summary>
internal sealed record WorkerParts(PostgresDatabase Database, WorkerLease Lease, ExecutionClaims Claims, SandboxStore Sandboxes, TurnStore Turns)
{
    public static async Task<WorkerParts> Start(ServerFixture server, CancellationToken cancellationToken)
    {
        var services = server.Services;
        var database = services.GetRequiredService<PostgresDatabase>();
        var wakeUps = services.GetRequiredService<WakeUps>();
        var lease = new WorkerLease(
            database, services.GetRequiredService<LeaseOptions>(), services.GetRequiredService<HostIdentity>(), services.GetRequiredService<Readiness>(), TimeProvider.System,
            NullLogger<WorkerLease>.Instance);
        var claims = new ExecutionClaims(database, lease, services.GetRequiredService<ExecutionOptions>(), wakeUps);
        var turns = new TurnStore(
            database, claims, services.GetRequiredService<EventStore>(), services.GetRequiredService<FollowUps>(), services.GetRequiredService<DeliveryOutbox>(),
            services.GetRequiredService<SandboxReservations>(), services.GetRequiredService<OriginStore>(), services.GetRequiredService<ExecutionOptions>());
        var worker = new WorkerParts(database, lease, claims, new SandboxStore(database, lease, wakeUps), turns);
        await database.Execute(
            $"insert into workers (worker_id, host_id, version, lease_expires_at) values ({lease.WorkerId}, {lease.HostId}, 'test', clock_timestamp() + interval '1 minute')", cancellationToken);
        return worker;
    }

    public Task EndLease(CancellationToken cancellationToken) =>
        Database.Execute($"update workers set lease_expires_at = clock_timestamp() - interval '1 second' where worker_id = {Lease.WorkerId}", cancellationToken);

    /// <summary>As one that was paused and wakes: it renews what had ended.</summary>
    public Task Renew(CancellationToken cancellationToken) =>
        Database.Execute($"update workers set lease_expires_at = clock_timestamp() + interval '1 minute' where worker_id = {Lease.WorkerId}", cancellationToken);
}
