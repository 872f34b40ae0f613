using Centaur.Proxy.Metering;
using Centaur.Proxy.Scanning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Centaur.Proxy.Forwarding.WebSockets;

/// <summary>A WebSocket between the client and the upstream, once both have agreed: frames pass both ways until one side ends.</summary>
/// <param name="placeholders">What is replaced on the way up.</param>
/// <param name="values">What is replaced on the way down: the values that this proxy knows when a message begins.</param>
/// <param name="isMetered">Whether a model speaks.</param>
sealed class WebSocketRelay(ScanModel? placeholders, Func<ScanModel?> values, bool isMetered)
{
    /// <summary>How long the other side may take to say goodbye too.</summary>
    static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    public long BytesSent { get; private set; }

    public long BytesReceived { get; private set; }

    public long PlaceholdersSeen { get; private set; }

    public long Scrubbed { get; private set; }

    /// <summary>What the model's answers said that they cost; null where none did.</summary>
    public ModelUsage? Usage { get; private set; }

    /// <exception cref="WebSocketFault">A side broke the protocol; both connections are closed.</exception>
    public async Task Run(HttpContext context, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var feature = context.Features.GetRequiredFeature<IHttpUpgradeFeature>();
        context.Response.Headers.Upgrade = "websocket";
        await using var upstream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        await using var client = await feature.UpgradeAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var meter = isMetered ? UsageMeter.ForMessages() : null;
        using var up = new FrameRelay(client, upstream, fromClient: true, () => placeholders, meter: null);
        using var down = new FrameRelay(upstream, client, fromClient: false, values, meter);
        var ways = new[] { up.Run(ending.Token), down.Run(ending.Token) };
        try
        {
            var first = await Task.WhenAny(ways);
            ending.CancelAfter(first.IsCompletedSuccessfully ? Farewell : TimeSpan.Zero);
            await first;
            await Task.WhenAll(ways);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The second goodbye did not come.
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(ways).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // A message that a fault cut off counts too.
            up.End();
            down.End();
            (BytesSent, BytesReceived, PlaceholdersSeen, Scrubbed, Usage) = (up.Bytes, down.Bytes, up.Replaced, down.Replaced, meter?.Conclude());
        }
    }
}
