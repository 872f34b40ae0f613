using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Events;

/// <summary>The append-only log of a thread, and its stream. What a reader sees under an id is stored.</summary>
public static class EventsSlice
{
    public static void AddEvents(this IServiceCollection services)
    {
        services.AddSingleton<EventStore>();
        services.AddSingleton<LiveDeltas>();
        services.AddSingleton<IGaugeSource, EventGauges>();
        services.AddHostedService<EventPartitionWorker>();
    }

    public static void MapEvents(this IEndpointRouteBuilder routes) => EventStream.Map(routes);
}
