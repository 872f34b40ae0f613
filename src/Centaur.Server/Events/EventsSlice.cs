using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Events;

/// <summary>The append-only log of a thread, and its stream. What a reader sees under an id is stored.</summary>
public static class EventsSlice
{
    public static void AddEvents(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(EventOptions.Read(settings));
        services.AddSingleton<EventStore>();
        services.AddSingleton<EventLogStore>();
        services.AddSingleton<LiveDeltas>();
        services.AddSingleton<IGaugeSource, EventGauges>();
        services.AddHostedService<EventLogWorker>();
    }

    public static void MapEvents(this IEndpointRouteBuilder routes) => EventStream.Map(routes);
}
