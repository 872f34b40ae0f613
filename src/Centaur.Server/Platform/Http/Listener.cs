namespace Centaur.Server.Platform.Http;

/// <summary>The three doors of the server. Each serves only the routes that name it.</summary>
[Flags]
public enum Listener
{
    None = 0,

    /// <summary>Operators and clients.</summary>
    Api = 1,

    /// <summary>What a sandbox may call.</summary>
    Sandbox = 2,

    /// <summary>Webhooks from outside.</summary>
    Public = 4,
}

/// <summary>The listeners that serve an endpoint; one without it is served to operators and clients alone.</summary>
internal sealed record ServedOn(Listener Listeners);

/// <summary>Which listener a connection came in by.</summary>
internal sealed record ListenerFeature(Listener Listener);

public static class ListenerConventions
{
    /// <summary>Serves a route on these listeners.</summary>
    public static TBuilder On<TBuilder>(this TBuilder builder, Listener listeners)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ServedOn(listeners));

    internal static Listener Listener(this HttpContext http) => http.Features.Get<ListenerFeature>()?.Listener ?? Http.Listener.None;
}
