using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Scanning;
using Centaur.Proxy.Secrets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Centaur.Proxy.Forwarding;

/// <summary>Builds the request that leaves: what ends at this hop is left out first, values are put in last.</summary>
static class OutgoingRequest
{
    /// <param name="request">As the client sent it.</param>
    /// <param name="line">Its one reading.</param>
    /// <param name="host">What the policy says of its host.</param>
    /// <param name="swap">What its placeholders become.</param>
    /// <param name="plaintext">The operator's map says that this upstream speaks no TLS.</param>
    /// <param name="body">Its body, or null where it can have none.</param>
    public static HttpRequestMessage Build(HttpRequest request, RequestLine line, HostModel host, SwapPlan swap, bool plaintext, RequestBody? body)
    {
        var scheme = line.Secure && !plaintext ? "https" : "http";
        var name = line.Target.Host.Contains(':') ? $"[{line.Target.Host}]" : line.Target.Host;
        var address = new Uri(
            $"{scheme}://{name}:{line.Target.Port}{swap.InAddress(line.Path)}{swap.InAddress(line.Query)}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        // A client of HTTP/2 gets it all the way where the upstream has it; one of HTTP/1.1 is served best by the same.
        var isHttp2 = HttpProtocol.IsHttp2(request.Protocol) && scheme == "https";
        var message = new HttpRequestMessage(HttpMethod.Parse(request.Method), address)
        {
            Version = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = isHttp2 ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        message.Headers.Host = request.Headers.Host.ToString();
        if (body is not null && request.Headers.Expect.ToString().Equals("100-continue", StringComparison.OrdinalIgnoreCase))
            message.Headers.ExpectContinue = true;
        // Servers of gRPC answer nobody who does not take trailers.
        if (isHttp2 && request.Headers.TE.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase))
            message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));

        var connection = request.Headers.Connection;
        foreach (var (header, values) in request.Headers)
        {
            if (HeaderRules.StaysHere(header, connection))
                continue;
            // What an upstream may echo must be readable here.
            if (host.HoldsSecrets && header.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase))
                continue;
            // A piece of an echo is a piece of a value, which no scan can know: whoever sends a credential gets answers whole.
            if (swap.Names.Count > 0 && (header.Equals("Range", StringComparison.OrdinalIgnoreCase) || header.Equals("If-Range", StringComparison.OrdinalIgnoreCase)))
                continue;
            foreach (var value in values)
            {
                var swapped = swap.InHeader(header, value ?? "");
                if (!message.Headers.TryAddWithoutValidation(header, swapped))
                    body?.Headers.TryAddWithoutValidation(header, swapped);
            }
        }

        if (host.HoldsSecrets)
            message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        return message;
    }

    public static RequestBody? Body(HttpContext context, PolicyModel policy, SwapPlan swap)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            return context.Request.ContentLength == 0 ? new RequestBody(context.Request.BodyReader, 0, null) : null;
        return new RequestBody(context.Request.BodyReader, swap.SwapsInBody ? null : context.Request.ContentLength, Search(policy, swap));
    }

    /// <summary>What is looked for in what the client sends after its head: placeholders, and what they become.</summary>
    public static ScanModel? Search(PolicyModel policy, SwapPlan swap) =>
        swap.SwapsInBody ? new ScanModel(swap.ForBody().Select(pair => Swapped(pair.Model, pair.Value))) : policy.InertPlaceholders;

    static Needle Swapped(SecretModel model, Secret? value)
    {
        var placeholder = Encoding.ASCII.GetBytes(model.Placeholder);
        return new Needle(model.Placeholder, placeholder, value is null ? placeholder : value.Bytes.ToArray());
    }
}
