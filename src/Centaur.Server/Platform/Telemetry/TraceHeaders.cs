using Centaur.Server.Platform.Database;

namespace Centaur.Server.Platform.Telemetry;

/// <summary>Reads <c>X-Trace-Id</c> and <c>traceparent</c>, and answers with both when the trace is known (contract §1.0).</summary>
internal sealed class TraceHeaders(RequestDelegate next, ThreadTraces traces)
{
    public const string TraceId = "X-Trace-Id";
    public const string TraceParent = "traceparent";

    public Task InvokeAsync(HttpContext http)
    {
        var trace = new RequestTrace { Given = Given(http.Request.Headers) };
        http.Features.Set(trace);
        http.Response.OnStarting(() => Answer(http, trace));
        return next(http);
    }

    /// <summary>The trace as W3C writes it.</summary>
    internal static string Parent(Guid trace)
    {
        var hex = trace.ToString("N");
        return $"00-{hex}-{hex[16..]}-01";
    }

    async Task Answer(HttpContext http, RequestTrace trace)
    {
        try
        {
            var id = trace.Known ?? trace.Given
                ?? (trace.ThreadKey is { } threadKey && http.Response.StatusCode < 400 ? await traces.Of(threadKey, null, http.RequestAborted) : null);
            if (id is not { } known)
                return;
            http.Response.Headers[TraceId] = known.ToString();
            http.Response.Headers[TraceParent] = Parent(known);
        }
        catch (Exception e) when (Outages.IsOutage(e) || e is OperationCanceledException)
        {
            // The answer stands without its trace.
        }
    }

    static Guid? Given(IHeaderDictionary headers)
    {
        if (Guid.TryParse(headers[TraceId].ToString(), out var id) && id != Guid.Empty)
            return id;
        var parts = headers[TraceParent].ToString().Split('-');
        return parts is ["00", { Length: 32 } hex, { Length: 16 }, _] && Guid.TryParseExact(hex, "N", out id) && id != Guid.Empty ? id : null;
    }
}
