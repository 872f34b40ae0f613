using Centaur.Server.Platform.Database;

namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary><c>GET /metrics</c>. It names no scope, and so needs <c>admin</c>: figures say what a team does.</summary>
internal static class MetricsEndpoint
{
    public static void MapMetrics(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/metrics", Read)
            .WithTags("health").WithSummary("Figures for Prometheus").Produces(StatusCodes.Status200OK, contentType: "text/plain");

    static async Task<IResult> Read(RequestMetrics requests, IEnumerable<Counter> counters, IEnumerable<IGaugeSource> sources, CancellationToken cancellationToken)
    {
        var text = new MetricsText();
        text.Write(requests);
        foreach (var counter in counters)
            text.Write(counter);
        var reached = true;
        try
        {
            foreach (var source in sources)
            {
                foreach (var gauge in await source.Read(cancellationToken))
                    text.Write(gauge);
            }
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            reached = false;
        }

        text.Write(Gauge.Of("centaur_database_reached", "1 where the database answered while these figures were read; where it is 0, those of the database are missing.", reached ? 1 : 0));
        return TypedResults.Text(text.ToString(), MetricsText.ContentType);
    }
}
