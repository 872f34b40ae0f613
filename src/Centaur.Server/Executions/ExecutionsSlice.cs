using Centaur.Server.Executions.Api;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Executions;

/// <summary>One run of an agent on a thread: queued here, claimed and run by a worker, ended once. Clients with <c>agent:execute</c> may queue, read and cancel.</summary>
public static class ExecutionsSlice
{
    public static void AddExecutions(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(ExecutionOptions.Read(settings));
        services.AddSingleton<ExecutionStore>();
        services.AddSingleton<QueueExecution>();
        services.AddSingleton<ExecutionClaims>();
        services.AddSingleton<TurnStore>();
        services.AddSingleton<TurnDelivery>();
        services.AddSingleton<ExecutionRun>();
        services.AddHostedService<ExecutionWorker>();
    }

    public static void MapExecutions(this IEndpointRouteBuilder routes)
    {
        ExecuteEndpoint.Map(routes);
        ExecutionEndpoints.Map(routes);
    }
}
