using System.Net;
using Centaur.Server.Platform.Telemetry;

namespace Centaur.Server.Platform.Http;

/// <summary>
/// Stands before every route. 1. A request names a host that is ours, else 421 (a web page that points its own name at loopback does not). 2. A path has no
/// trailing slash, else 404 (contract §1.0). 3. The route is one of this listener's, else 404; where a sandbox asked, with an alert.
/// </summary>
internal sealed class ListenerGate(RequestDelegate next, ListenerOptions options, Alerts alerts)
{
    public Task InvokeAsync(HttpContext http)
    {
        var listener = http.Listener();
        if (listener != Listener.Sandbox && !IsOurs(http.Request.Host))
            return ApiFailure.Detail(StatusCodes.Status421MisdirectedRequest, "This server does not answer to the host name of this request. Name it under listen.hosts, or use a loopback address.").ExecuteAsync(http);

        var path = http.Request.Path.Value ?? "";
        var serves = http.GetEndpoint()?.Metadata.GetMetadata<ServedOn>()?.Listeners ?? Listener.Api;
        if ((path.Length > 1 && path.EndsWith('/')) || http.GetEndpoint() is null || !serves.HasFlag(listener) || listener == Listener.None)
        {
            if (listener == Listener.Sandbox && http.GetEndpoint() is RouteEndpoint)
                alerts.Raise(Alerts.SandboxRefused, $"a sandbox asked for {http.Request.Method} {path}, which is no route of sandboxes");
            return ApiFailure.Detail(StatusCodes.Status404NotFound, "Not Found").ExecuteAsync(http);
        }

        return next(http);
    }

    bool IsOurs(HostString host)
    {
        var name = host.Host;
        if (name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || options.Hosts.Contains(name, StringComparer.OrdinalIgnoreCase))
            return true;
        return IPAddress.TryParse(name.Trim('[', ']'), out var address)
            && (IPAddress.IsLoopback(address) || address.Equals(options.Api.Address) || address.Equals(options.Public?.Address));
    }
}
