using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Platform.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Centaur.Server.Slack.Ingress;

/// <summary>
/// Where Slack sends its events. 1. The body is read whole, within its limit. 2. The signature is checked over its bytes. 3. Only then is it parsed. 4. The event is stored and
/// committed. 5. Slack is answered; everything else comes later, from the inbox.
/// </summary>
internal static class SlackEventsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var path in (string[])["/api/webhooks/slack", "/api/slack/events"])
        {
            routes.MapPost(path, Handle)
                .On(Listener.Public).WithMetadata(new OpenRoute())
                .WithTags("slack").WithSummary("Take a signed event of Slack").Produces<SlackTaken>().Produces<DetailBody>(401).Produces<SlackRefused>(400).Produces<DetailBody>(413);
        }
    }

    static async Task<IResult> Handle(HttpContext http, SlackSignature signature, SlackInboxStore inbox, BodyMemory memory, SlackOptions options, ILogger<SlackSignature> log, CancellationToken cancellationToken)
    {
        // 1.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBody;
        var body = await memory.Read(http);

        // 2.
        if (signature.Problem(http.Request.Headers["X-Slack-Request-Timestamp"].ToString(), http.Request.Headers["X-Slack-Signature"].ToString(), body.Span) is { } problem)
        {
            log.BadSignature(problem);
            return ApiFailure.Detail(StatusCodes.Status401Unauthorized, "Invalid Slack signature");
        }

        // 3.
        var parsed = JsonBody.Parse(body);
        if (parsed.Failure is not null)
            return Refused();
        var root = parsed.Value.Root;
        switch (parsed.Value.OptionalText("type"))
        {
            case "url_verification" when parsed.Value.OptionalText("challenge", 4096) is { } challenge:
                return TypedResults.Json(new JsonObject { ["challenge"] = challenge }, ApiJson.Options);
            case "event_callback":
                break;
            case "app_rate_limited":
                return Taken();
            default:
                return Refused();
        }

        // 4.
        if (SlackEvent.Of(root) is not { } received)
            return Refused();
        var isNew = await inbox.Store(received, root.GetRawText(), cancellationToken);

        // 5.
        return Taken(isDuplicate: !isNew);
    }

    static JsonHttpResult<SlackTaken> Taken(bool isDuplicate = false) => TypedResults.Json(new SlackTaken(true) { Duplicate = isDuplicate }, ApiJson.Options);

    static JsonHttpResult<SlackRefused> Refused() => TypedResults.Json(new SlackRefused(false, "invalid_slack_payload"), ApiJson.Options, statusCode: StatusCodes.Status400BadRequest);
}

public sealed record SlackTaken(bool Ok)
{
    /// <summary>True where the event, or its message, was taken before; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Duplicate { get; init; }
}

public sealed record SlackRefused(bool Ok, string Error);
