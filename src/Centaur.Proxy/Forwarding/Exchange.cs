using System.Net;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Forwarding.WebSockets;
using Centaur.Proxy.Front;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Metering;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Transforms;
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
/// <para>5. The request is built: what ends at this hop is left out first, values are put in last. Then transforms change it, or keep it here.</para>
/// <para>6. Head and body of the answer are relayed as they come, searched for values.</para>
/// </summary>
sealed class Exchange(PolicyState policies, UpstreamPool upstreams, AuditTrail audit, Gate requests, ProxyLimits limits, TimeProvider time)
{
    static readonly string[] ConnectionHeaders = ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"];

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
        var generation = policies.Generation;
        var policy = generation.Policy;

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
        var rule = host.RuleFor(line.Target.Port, request.Method, line.Path, WebSocketHandshake.IsAsked(request));
        if (rule is null)
            refusal ??= NotAllowed(host, line, request.Method, policy);

        // 3.
        var swap = new SwapPlan(policy, host, line, request.Method);
        // Frames are a body of another shape.
        var hasBody = WebSocketHandshake.IsAsked(request) || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };
        refusal ??= swap.Find(request.Headers, hasBody);
        refusal ??= await swap.Fetch(generation.Runtime.Vault, context.RequestAborted);
        if (refusal is not null)
        {
            await Refuse(context, policy, line, refusal);
            return;
        }

        // 4.
        var plan = TransformPlan.For(host, line, request);
        var id = audit.NewId();
        IReadOnlyList<string> carried = plan.Secrets.Count == 0 ? swap.Names : [.. swap.Names, .. plan.Secrets];
        if (!audit.Intend(new AuditIntent(id, policy, line.Target, request.Method, line.Path, rule!.Name, carried) { Query = line.Query }))
        {
            await Refuse(context, policy, line, Refusals.Audit());
            return;
        }

        await Forward(context, new Admitted(id, generation, host, rule, line, swap, plan));
    }

    async Task Forward(HttpContext context, Admitted request)
    {
        var (id, generation, host, rule, line, swap, plan) = request;
        var isMetered = rule.Metered && UsageMeter.Concerns(context.Request.Method, line.Path);
        var started = time.GetTimestamp();
        var (policy, runtime, _) = generation;
        ResponseRelay? relay = null;
        var becomesSocket = WebSocketHandshake.IsAsked(context.Request);
        RequestBody? body = null;
        WebSocketRelay? socket = null;
        string? cause = null;
        CancellationToken[] revocations = [.. swap.Revocations, .. plan.Secrets.Select(runtime.Vault.Revocation)];
        using var ending = CancellationTokenSource.CreateLinkedTokenSource([context.RequestAborted, .. revocations]);
        try
        {
            // 5.
            var map = policy.MapFor(line.Target.Host, line.Target.Port);
            body = becomesSocket ? null : OutgoingRequest.Body(context, policy, swap);
            using var message = OutgoingRequest.Build(context.Request, line, host, swap, map?.Plaintext ?? false, body);
            var hasLength = context.Request.ContentLength is not null;
            if (await plan.Apply(new OutgoingMessage(message, line, policy, Chunked: body is not null && !hasLength), runtime, ending.Token) is { } interruption)
            {
                cause = interruption.Cause;
                await (interruption.Stub is { } stub ? stub.Answer(context.Response, context.RequestAborted) : Answer(context, interruption.Refusal!));
                return;
            }

            if (becomesSocket)
                WebSocketHandshake.Ask(message);
            relay = new ResponseRelay(() => runtime.Vault.Scan, policy.HoldsSecrets || runtime.Vault.Scan is not null, host.HoldsSecrets, isMetered, limits.LargestAnswer);
            using var patience = new AnswerPatience(limits.AnswerTimeout, ending.Token);
            using var answer = await patience.Wait(upstreams.For(map), message, body, line.Target.Host);

            // 6.
            if (answer.StatusCode == HttpStatusCode.SwitchingProtocols)
            {
                if (!becomesSocket || !WebSocketHandshake.IsAccepted(context.Request, answer))
                    throw new UpstreamFault(RefusalCodes.UpgradeNotVerified, $"{line.Target.Host} switched to another protocol, and not as it was asked to.");
                relay.TryCopyHead(answer, context.Response, hasBody: false);
                socket = new WebSocketRelay(OutgoingRequest.Search(policy, swap), () => runtime.Vault.Scan, isMetered);
                await socket.Run(context, answer, ending.Token);
                return;
            }

            var hasBody = context.Request.Method != "HEAD" && answer.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified);
            if (hasBody)
                relay.Admit(answer);
            if (!relay.TryCopyHead(answer, context.Response, hasBody))
            {
                cause = RefusalCodes.EncodingNotScannable;
                await Answer(context, Refusals.Upstream(cause, $"{line.Target.Host} packed its answer in a way that cannot be searched for secrets."));
                return;
            }

            if (hasBody)
                await relay.CopyBody(answer, context.Response, ending.Token);
            relay.CopyTrailers(answer, context.Response);
        }
        catch (Exception fault)
        {
            cause = await Fail(context, line, revocations, fault, body?.SourceFailed ?? false);
        }
        finally
        {
            var seen = (body?.PlaceholdersSeen ?? 0) + (socket?.PlaceholdersSeen ?? 0);
            audit.Conclude(policy, new AuditOutcome(
                id, line.Target, context.Response.StatusCode, (body?.BytesSent ?? 0) + (socket?.BytesSent ?? 0), (relay?.BytesReceived ?? 0) + (socket?.BytesReceived ?? 0),
                time.GetElapsedTime(started), swap.SwapsInBody ? 0 : seen, (relay?.Scrubbed ?? 0) + (socket?.Scrubbed ?? 0), cause)
            {
                Usage = relay?.Usage ?? socket?.Usage,
            });
        }
    }

    static async Task<string> Fail(HttpContext context, RequestLine line, CancellationToken[] revocations, Exception fault, bool clientFailed)
    {
        if (Array.Exists(revocations, revoked => revoked.IsCancellationRequested))
        {
            context.Abort();
            return "secret_revoked";
        }

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

    static Refusal? Framing(HttpRequest request)
    {
        // Kestrel moves Content-Length aside when both are there; two readings of one message are one too many.
        if (request.Headers.ContainsKey("X-Content-Length") && request.Headers.TransferEncoding.Count > 0)
            return Refusals.Bad("it has both Content-Length and Transfer-Encoding");
        if (request.Headers.TransferEncoding.Count > 0 && !request.Headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase))
            return Refusals.Bad("its Transfer-Encoding is not \"chunked\"");
        // What governs a connection has no meaning inside a stream of HTTP/2 (RFC 9113 §8.2.2); passed on to HTTP/1.1 it would get one.
        if (HttpProtocol.IsHttp2(request.Protocol) && ConnectionHeaders.Any(request.Headers.ContainsKey))
            return Refusals.Bad("it holds a header that HTTP/2 does not know");
        if (request.Method == HttpMethods.Connect)
            return Refusals.Upgrade("another protocol inside of HTTP/2");
        return WebSocketHandshake.IsAsked(request) ? WebSocketHandshake.Problem(request) : null;
    }

    static Refusal NotAllowed(HostModel host, RequestLine line, string method, PolicyModel policy)
    {
        if (host.Rules.Length == 0)
            return Refusals.Host(line.Target, policy);
        if (host.RuleFor(line.Target.Port, method, line.Path) is not null)
            return Refusals.Upgrade("WebSocket");
        return host.CoversPort(line.Target.Port) ? Refusals.Route(line.Target.Host, method, line.Path, policy) : Refusals.Port(line.Target, policy);
    }

    async Task Refuse(HttpContext context, PolicyModel policy, RequestLine? line, Refusal refusal)
    {
        audit.Refused(policy, line?.Target ?? context.Features.Get<Tunnel>()?.Target, context.Request.Method, line?.Path ?? "", line?.Query ?? "", refusal);
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

    /// <summary>A request that may leave, and what was decided of it.</summary>
    sealed record Admitted(string Id, Generation Generation, HostModel Host, RuleModel Rule, RequestLine Line, SwapPlan Swap, TransformPlan Plan);
}
