using Centaur.Server.Deliveries.Api;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Deliveries;

/// <summary>
/// The outbox (contract §1.8): what must still reach a person, with one row for each execution whose author waits somewhere else than in its event stream. Rows are opened and
/// made ready in the transactions of the executions that they belong to; a deliverer, here or behind the API, claims one for the length of a lease, and says how it went.
/// Clients with <c>agent:execute</c> may deliver; a sandbox may not. Dead letters are the operators'.
/// </summary>
public static class DeliveriesSlice
{
    public static void AddDeliveries(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(DeliveryOptions.Read(settings));
        services.AddSingleton<DeliveryStore>();
        services.AddSingleton<DeliveryClaims>();
        services.AddSingleton<DeliveryOutbox>();
        services.AddHostedService<DeliveryWatchdog>();
    }

    public static void MapDeliveries(this IEndpointRouteBuilder routes)
    {
        DeliveryEndpoints.Map(routes);
        DeadLetterEndpoints.Map(routes);
    }
}
