using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Telemetry.Metrics;
using Centaur.Server.Sandboxes.Ending;
using Centaur.Server.Sandboxes.Local;
using Centaur.Server.Sandboxes.Pool;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// The jails that turns run in, one a thread: reserved by a spawn, started ahead of the first turn, attached by whoever runs a turn, buried when they die.
/// Threads reserve them; executions drive them; nobody else touches a keeper.
/// </summary>
public static class SandboxesSlice
{
    public static void AddSandboxes(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(SandboxOptions.Read(settings));
        services.AddSingleton<SandboxReservations>();
        services.AddSingleton(_ => KeeperPrograms.BesideThisOne());
        services.AddSingleton<ISandboxBackend, LocalBackend>();
        services.AddSingleton<SandboxAudits>();
        services.AddSingleton<SandboxStore>();
        services.AddSingleton<SandboxLifecycle>();
        services.AddSingleton<EndingStore>();
        services.AddSingleton<ForgettingStore>();
        services.AddSingleton<SandboxEnding>();
        services.AddSingleton<SpareStore>();
        services.AddSingleton<IGaugeSource, SandboxGauges>();
    }

    /// <summary>What a server that runs turns does besides: it starts their sandboxes, keeps spare ones, and ends those whose time has come.</summary>
    public static void AddSandboxWorkers(this IServiceCollection services)
    {
        services.AddHostedService<SandboxStarter>();
        services.AddHostedService<SandboxReconciler>();
        services.AddHostedService<WarmPoolWorker>();
    }

    public static void MapSandboxes(this IEndpointRouteBuilder routes) => PoolEndpoints.Map(routes);
}
