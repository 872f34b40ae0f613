using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Egress;

/// <summary>
/// What left the sandboxes, and what was refused: the records that each proxy wrote on its host, brought to Postgres with their hash chains, kept for a while, read by thread.
/// Whoever may read a thread may read its records; those of all threads, and the verifier, are an operator's.
/// </summary>
public static class EgressSlice
{
    public static void AddEgress(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(EgressRecordOptions.Read(settings));
        services.AddSingleton<EgressStore>();
        services.AddSingleton<EgressReadStore>();
        services.AddSingleton<AuditShipping>();
        services.AddSingleton<ChainStore>();
        services.AddSingleton<IGaugeSource, EgressGauges>();
        services.AddHostedService<EgressShipWorker>();
        services.AddHostedService<EgressRetentionWorker>();
    }

    public static void MapEgress(this IEndpointRouteBuilder routes)
    {
        EgressEndpoints.Map(routes);
        VerifyEndpoint.Map(routes);
    }
}
