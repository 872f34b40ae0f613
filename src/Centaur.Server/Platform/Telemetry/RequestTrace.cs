namespace Centaur.Server.Platform.Telemetry;

/// <summary>Which trace a request belongs to: the one that its client named, else its thread's.</summary>
public sealed class RequestTrace
{
    /// <summary>From <c>X-Trace-Id</c> or <c>traceparent</c>.</summary>
    public Guid? Given { get; init; }

    /// <summary>Set once the caller is known to be allowed on the thread.</summary>
    public string? ThreadKey { get; set; }

    /// <summary>Set where it is known already.</summary>
    public Guid? Known { get; set; }
}

public static class RequestTraceExtensions
{
    /// <summary>Says that the request is about this thread.</summary>
    public static void TraceThread(this HttpContext http, string threadKey) => http.Trace().ThreadKey = threadKey;

    public static RequestTrace Trace(this HttpContext http)
    {
        if (http.Features.Get<RequestTrace>() is { } trace)
            return trace;
        trace = new RequestTrace();
        http.Features.Set(trace);
        return trace;
    }
}
