using System.Net;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Front;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Scanning;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// One request, from its head to the last byte of its answer.
/// <para>1. The head is read in its one meaning; host and port must be those of the tunnel.</para>
/// <para>2. A rule of the current policy must cover host, port, method and path.</para>
/// <para>3. Placeholders are found and judged; values are fetched.</para>
/// <para>4. The intent is recorded. From here on there is an outcome too.</para>
/// <para>5. The request is built: what ends at this hop is left out first, values are put in last.</para>
/// <para>6. Head and body of the answer are relayed as they come, searched for values.</para>
/// </summary>
sealed class Exchange(PolicyState policies, SecretVault vault, UpstreamPool upstreams, AuditTrail audit, Gate requests, ProxyLimits limits, TimeProvider time)
{
    public async Task Run(HttpContext context)
    {
        if (!requests.TryEnter())
        {
            await Refuse(context, policies.Current, null, Refusals.Busy(RefusalCodes.TooManyRequests, $"This sandbox already has {limits.ConcurrentRequests} requests in flight."));
            return;
        }

        try
        {
            await RunAdmitted(context);
        }
        finally
        {
            requests.Leave();
        }
    }

    async Task RunAdmitted(HttpContext context)
    {
        var request = context.Request;
        var policy = policies.Current;

        // 1.
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (RequestLine.TryRead(raw, request.Headers.Host.ToString(), context.Features.Get<Tunnel>(), out var line) is { } misread)
        {
            await Refuse(context, policy, null, misread);
            return;
        }

        var refusal = Framing(request);

        // 2.
        var host = policy.For(line.Target.Host, line.Target.IsAddress);
        var rule = host.RuleFor(line.Target.Port, request.Method, line.Path);
        if (rule is null)
            refusal ??= NotAllowed(host, line, request.Method, policy);

        // 3.
        var swap = new SwapPlan(policy, host, line, request.Method);
        refusal ??= swap.Find(request.Headers, context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true });
        refusal ??= await swap.Fetch(vault, context.RequestAborted);
        if (refusal is not null)
        {
            await Refuse(context, policy, line, refusal);
            return;
        }

        // 4.
        var id = audit.NewId();
        if (!audit.Intend(new AuditIntent(id, policy, line.Target, request.Method, line.Path, rule!.Name, swap.Names)))
        {
            await Refuse(context, policy, line, Refusals.Audit());
            return;
        }

        await Forward(context, policy, host, line, swap, id);
    }

    async Task Forward(HttpContext context, PolicyModel policy, HostModel host, RequestLine line, SwapPlan swap, string id)
    {
        var started = time.GetTimestamp();
        var relay = new ResponseRelay(vault.Scan, host.HoldsSecrets);
        RequestBody? body = null;
        string? cause = null;
        try
        {
            // 5.
            var map = policy.MapFor(line.Target.Host, line.Target.Port);
            body = Body(context, policy, swap);
            using var message = Build(context.Request, line, host, swap, map?.Plaintext ?? false, body);
            using var answer = await upstreams.For(map).SendAsync(message, context.RequestAborted);

            // 6.
            var hasBody = context.Request.Method != "HEAD" && answer.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified);
            if (!relay.TryCopyHead(answer, context.Response, hasBody))
            {
                cause = RefusalCodes.EncodingNotScannable;
                await Answer(context, Refusals.Upstream(cause, $"{line.Target.Host} packed its answer in a way that cannot be searched for secrets."));
                return;
            }

            if (hasBody)
                await relay.CopyBody(answer, context.Response, context.RequestAborted);
        }
        catch (Exception fault)
        {
            cause = await Fail(context, line, fault, body?.SourceFailed ?? false);
        }
        finally
        {
            var inert = body is null || swap.SwapsInBody ? 0 : body.PlaceholdersSeen;
            audit.Conclude(policy, new AuditOutcome(
                id, line.Target, context.Response.StatusCode, body?.BytesSent ?? 0, relay.BytesReceived, time.GetElapsedTime(started), inert, relay.Scrubbed, cause));
        }
    }

    static async Task<string> Fail(HttpContext context, RequestLine line, Exception fault, bool clientFailed)
    {
        if (fault is BadHttpRequestException || fault.InnerException is BadHttpRequestException)
        {
            if (context.Response.HasStarted)
                context.Abort();
            else
                await Answer(context, Refusals.Bad("its body is not framed as its head says"));
            return RefusalCodes.BadRequest;
        }

        if (context.RequestAborted.IsCancellationRequested || clientFailed || fault is OperationCanceledException)
        {
            context.Abort();
            return "client_gone";
        }

        var (code, what) = UpstreamFault.Explain(fault, line.Target.Host);
        if (context.Response.HasStarted)
            // The client must see a broken answer, never a short one that looks whole.
            context.Abort();
        else
            await Answer(context, Refusals.Upstream(code, what));
        return code;
    }

    static HttpRequestMessage Build(HttpRequest request, RequestLine line, HostModel host, SwapPlan swap, bool plaintext, RequestBody? body)
    {
        var scheme = line.Secure && !plaintext ? "https" : "http";
        var name = line.Target.Host.Contains(':') ? $"[{line.Target.Host}]" : line.Target.Host;
        var address = new Uri(
            $"{scheme}://{name}:{line.Target.Port}{swap.InAddress(line.Path)}{swap.InAddress(line.Query)}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(HttpMethod.Parse(request.Method), address)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        message.Headers.Host = request.Headers.Host.ToString();
        if (body is not null && request.Headers.Expect.ToString().Equals("100-continue", StringComparison.OrdinalIgnoreCase))
            message.Headers.ExpectContinue = true;

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

    static RequestBody? Body(HttpContext context, PolicyModel policy, SwapPlan swap)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            return context.Request.ContentLength == 0 ? new RequestBody(context.Request.BodyReader, 0, null) : null;
        var search = swap.SwapsInBody ? new ScanModel(swap.ForBody().Select(pair => Swapped(pair.Model, pair.Value))) : policy.InertPlaceholders;
        return new RequestBody(context.Request.BodyReader, swap.SwapsInBody ? null : context.Request.ContentLength, search);
    }

    static Needle Swapped(SecretModel model, Secret? value)
    {
        var placeholder = System.Text.Encoding.ASCII.GetBytes(model.Placeholder);
        return new Needle(model.Placeholder, placeholder, value is null ? placeholder : value.Bytes.ToArray());
    }

    static Refusal? Framing(HttpRequest request)
    {
        // Kestrel moves Content-Length aside when both are there; two readings of one message are one too many.
        if (request.Headers.ContainsKey("X-Content-Length") && request.Headers.TransferEncoding.Count > 0)
            return Refusals.Bad("it has both Content-Length and Transfer-Encoding");
        if (request.Headers.TransferEncoding.Count > 0 && !request.Headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase))
            return Refusals.Bad("its Transfer-Encoding is not \"chunked\"");
        return request.Headers.Upgrade.Count > 0 && request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase)
            ? Refusals.Upgrade("WebSocket")
            : null;
    }

    static Refusal NotAllowed(HostModel host, RequestLine line, string method, PolicyModel policy)
    {
        if (host.Rules.Length == 0)
            return Refusals.Host(line.Target, policy);
        return host.CoversPort(line.Target.Port) ? Refusals.Route(line.Target.Host, method, line.Path, policy) : Refusals.Port(line.Target, policy);
    }

    async Task Refuse(HttpContext context, PolicyModel policy, RequestLine? line, Refusal refusal)
    {
        audit.Refused(policy, line?.Target ?? context.Features.Get<Tunnel>()?.Target, context.Request.Method, line?.Path ?? "", refusal);
        await Answer(context, refusal);
    }

    static async Task Answer(HttpContext context, Refusal refusal)
    {
        var response = context.Response;
        response.Clear();
        response.StatusCode = refusal.Status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers[Refusal.DeniedHeader] = refusal.Code;
        if (refusal.Status is 429 or 503)
            response.Headers.RetryAfter = "1";
        var body = System.Text.Encoding.UTF8.GetBytes(refusal.Body);
        response.ContentLength = body.Length;
        if (context.Request.Method == "HEAD")
            return;
        await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }
}
