using Centaur.Proxy.Front;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Forwarding;

/// <summary>How long an upstream may take to begin its answer. It counts from the end of the request, which may be long, and for the head alone.</summary>
/// <param name="longest">Null for as long as the client waits.</param>
/// <param name="ending">Ends the request for other reasons.</param>
sealed class AnswerPatience(TimeSpan? longest, CancellationToken ending) : IDisposable
{
    readonly Lock gate = new();
    readonly CancellationTokenSource? source = longest is null ? null : CancellationTokenSource.CreateLinkedTokenSource(ending);
    bool over;

    public async Task<HttpResponseMessage> Wait(HttpMessageInvoker upstream, HttpRequestMessage message, RequestBody? body, string host)
    {
        if (source is null)
            return await upstream.SendAsync(message, ending);
        // A transform may have put another content in its place, which is small.
        if (body is null || !ReferenceEquals(message.Content, body))
            Begin();
        else
            body.Sent = Begin;
        try
        {
            return await upstream.SendAsync(message, source.Token);
        }
        catch (OperationCanceledException late) when (source.IsCancellationRequested && !ending.IsCancellationRequested)
        {
            throw new UpstreamFault(RefusalCodes.AnswerTimedOut, $"{host} did not begin its answer within {longest!.Value.TotalSeconds:0.###} seconds.", late);
        }
        finally
        {
            End();
        }
    }

    public void Dispose()
    {
        End();
        source?.Dispose();
    }

    /// <summary>A request's body may end after its answer began.</summary>
    void Begin()
    {
        lock (gate)
        {
            if (!over)
                source!.CancelAfter(longest!.Value);
        }
    }

    void End()
    {
        lock (gate)
        {
            if (!over)
                source?.CancelAfter(Timeout.InfiniteTimeSpan);
            over = true;
        }
    }
}
