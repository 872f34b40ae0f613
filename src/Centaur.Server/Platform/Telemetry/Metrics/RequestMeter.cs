namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary>Counts every request by the template of its route. The outermost of all, so that it sees what the client sees.</summary>
internal sealed class RequestMeter(RequestDelegate next, RequestMetrics metrics, TimeProvider time)
{
    const string NoRoute = "none";

    public async Task InvokeAsync(HttpContext http)
    {
        var began = time.GetTimestamp();
        try
        {
            await next(http);
        }
        finally
        {
            var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? NoRoute;
            metrics.Answered(http.Request.Method, route, http.Response.StatusCode, time.GetElapsedTime(began));
        }
    }
}
