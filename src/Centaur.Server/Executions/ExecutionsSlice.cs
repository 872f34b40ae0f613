using Centaur.Server.Executions.Api;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Recovery;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Telemetry.Metrics;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions;

/// <summary>One run of an agent on a thread: queued here, claimed and run by a worker, ended once. Clients with <c>agent:execute</c> may queue, read, steer and cancel.</summary>
public static class ExecutionsSlice
{
    public static void AddExecutions(this IServiceCollection services, Settings settings)
    {
        var options = ExecutionOptions.Read(settings);
        services.AddSingleton(options);
        services.AddSingleton<ExecutionStore>();
        services.AddSingleton<QueueExecution>();
        services.AddSingleton<ReleaseThread>();
        services.AddSingleton<IGaugeSource, ExecutionGauges>();
        services.AddSingleton<ExecutionClaims>();
        services.AddSingleton<OriginStore>();
        services.AddSingleton<TurnStore>();
        services.AddSingleton<RecoveryStore>();
        services.AddSingleton<CancelExecution>();
        services.AddSingleton<SteerEndpoint>();
        services.AddSingleton<SteerStore>();
        services.AddSingleton<TurnSteering>();
        services.AddSingleton<FollowUps>();
        services.AddSingleton<TurnDelivery>();
        services.AddSingleton<ExecutionRun>();
        services.AddHostedService<ExecutionWorker>();
        // A replica that runs no turns starts no sandboxes for them.
        if (options.Concurrency > 0)
            services.AddSandboxWorkers();
    }

    public static void MapExecutions(this IEndpointRouteBuilder routes)
    {
        ExecuteEndpoint.Map(routes);
        ExecutionEndpoints.Map(routes);
        SteerEndpoint.Map(routes);
        ReleaseThread.Map(routes);
        StopThread.Map(routes);
    }
}
