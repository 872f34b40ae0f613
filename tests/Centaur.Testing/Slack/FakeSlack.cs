using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Testing.Slack;

/// <summary>
/// Slack's Web API where it misbehaves: it gives the troubles that a test has put up, one for each post, and is as strict as Slack otherwise. It refuses a wrong token, an unknown
/// channel, a message without text, metadata without an event type, and answers pages of a thread by cursor.
/// </summary>
public sealed class FakeSlack : IAsyncDisposable
{
    public const string BotToken = "xoxb-fake";
    public const string TeamId = "T0HOME";
    public const string BotUser = "U0BOT";
    public const string BotId = "B0BOT";
    const int MaxText = 40_000;
    const int PageSize = 2;

    readonly WebApplication app;
    readonly Lock gate = new();
    readonly List<JsonObject> messages = [];
    readonly Queue<SlackTrouble> troubles = [];
    readonly List<long> times = [];

    FakeSlack(WebApplication app) => this.app = app;

    public Uri ApiUrl => new(app.Urls.Single() + "/api/");

    /// <summary>While set, nobody learns who the bot is: the server's workers wait.</summary>
    public bool IsDown { get; set; }

    /// <summary>When each post was asked for.</summary>
    public IReadOnlyList<long> PostTimes
    {
        get
        {
            lock (gate)
                return [.. times];
        }
    }

    public static async Task<FakeSlack> Start(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        var slack = new FakeSlack(builder.Build());
        slack.app.MapPost("/api/auth.test", slack.WhoAmI);
        slack.app.MapPost("/api/chat.postMessage", slack.Post);
        slack.app.MapPost("/api/conversations.replies", slack.Replies);
        await slack.app.StartAsync(cancellationToken);
        return slack;
    }

    /// <summary>The next posts meet these, in turn.</summary>
    public void Next(params ReadOnlySpan<SlackTrouble> next)
    {
        lock (gate)
        {
            foreach (var trouble in next)
                troubles.Enqueue(trouble);
        }
    }

    /// <summary>What stands in a thread, oldest first, the root left out.</summary>
    public IReadOnlyList<JsonObject> Thread(string channel, string threadTs)
    {
        lock (gate)
            return [.. messages.Where(m => (string)m["channel"]! == channel && (string?)m["thread_ts"] == threadTs)];
    }

    /// <summary>Another app writes into a thread as if it were the first message of an answer.</summary>
    public void Forge(string channel, string threadTs, string executionId)
    {
        var metadata = new JsonObject
        {
            ["event_type"] = "centaur_final_delivery_chunk", ["event_payload"] = new JsonObject { ["execution_id"] = executionId, ["chunk_index"] = 0, ["chunk_count"] = 1 },
        };
        Store(new JsonObject { ["channel"] = channel, ["thread_ts"] = threadTs, ["text"] = "forged", ["metadata"] = metadata }, "U0OTHER", "B0OTHER");
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    async Task WhoAmI(HttpContext http)
    {
        if (IsDown)
            http.Response.StatusCode = 503;
        else if (await Allowed(http))
            await http.Response.WriteAsJsonAsync(new JsonObject { ["ok"] = true, ["team_id"] = TeamId, ["user_id"] = BotUser, ["bot_id"] = BotId });
    }

    async Task Post(HttpContext http)
    {
        if (!await Allowed(http))
            return;
        var body = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        SlackTrouble? trouble;
        lock (gate)
        {
            times.Add(TimeProvider.System.GetTimestamp());
            troubles.TryDequeue(out trouble);
        }

        if (trouble is { IsPosted: false })
        {
            await trouble.Answer(http);
            return;
        }

        if (Wrong(body) is { } error)
        {
            await Refuse(http, error);
            return;
        }

        var ts = Store(body, BotUser, BotId);
        if (trouble is not null && !await trouble.Answer(http))
            return;
        await http.Response.WriteAsJsonAsync(new JsonObject { ["ok"] = true, ["channel"] = (string)body["channel"]!, ["ts"] = ts });
    }

    async Task Replies(HttpContext http)
    {
        if (!await Allowed(http))
            return;
        var form = await http.Request.ReadFormAsync();
        if (!Channel(form["channel"].ToString()))
        {
            await Refuse(http, "channel_not_found");
            return;
        }

        var all = Thread(form["channel"].ToString(), form["ts"].ToString());
        var from = form["cursor"].ToString() is { Length: > 0 } cursor ? int.Parse(cursor, CultureInfo.InvariantCulture) : 0;
        var page = all.Skip(from).Take(PageSize).Select(m => m.DeepClone().AsObject()).ToArray();
        if (form["include_all_metadata"] != "true")
        {
            foreach (var message in page)
                message.Remove("metadata");
        }

        var next = from + PageSize < all.Count ? (from + PageSize).ToString(CultureInfo.InvariantCulture) : "";
        await http.Response.WriteAsJsonAsync(
            new JsonObject { ["ok"] = true, ["messages"] = new JsonArray([.. page]), ["has_more"] = next.Length > 0, ["response_metadata"] = new JsonObject { ["next_cursor"] = next } });
    }

    string Store(JsonObject body, string user, string bot)
    {
        lock (gate)
        {
            var stored = body.DeepClone().AsObject();
            var ts = string.Create(CultureInfo.InvariantCulture, $"{1_800_000_000 + messages.Count}.000100");
            (stored["ts"], stored["user"], stored["bot_id"]) = (ts, user, bot);
            messages.Add(stored);
            return ts;
        }
    }

    static string? Wrong(JsonObject body)
    {
        if (!Channel((string?)body["channel"] ?? ""))
            return "channel_not_found";
        if ((string?)body["channel"] == "C0ARCHIVED")
            return "is_archived";
        var text = (string?)body["text"] ?? "";
        if (text.Length == 0)
            return "no_text";
        if (text.Length > MaxText)
            return "msg_too_long";
        return body["metadata"] is JsonObject metadata && (metadata["event_type"] is null || metadata["event_payload"] is not JsonObject) ? "invalid_metadata_format" : null;
    }

    static bool Channel(string id) => id.StartsWith('C') || id.StartsWith('D');

    static async Task<bool> Allowed(HttpContext http)
    {
        if (http.Request.Headers.Authorization == $"Bearer {BotToken}")
            return true;
        await Refuse(http, "invalid_auth");
        return false;
    }

    static Task Refuse(HttpContext http, string error) => http.Response.WriteAsJsonAsync(new JsonObject { ["ok"] = false, ["error"] = error });
}

/// <summary>What a post meets instead of its answer.</summary>
/// <param name="Status">The HTTP status; 0 breaks the connection.</param>
public sealed record SlackTrouble(int Status)
{
    public int? RetryAfter { get; init; }

    /// <summary>Nothing is answered for so long.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The message stands in the channel all the same.</summary>
    public bool IsPosted { get; init; }

    /// <returns>True where the usual answer follows.</returns>
    internal async Task<bool> Answer(HttpContext http)
    {
        try
        {
            await Task.Delay(Delay, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        if (Status == 0)
        {
            http.Abort();
            return false;
        }

        http.Response.StatusCode = Status;
        if (RetryAfter is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Status == StatusCodes.Status200OK;
    }
}
