using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Slack.Web;

/// <summary>Slack's Web API over HTTP. Every call is bounded in time and size, and no redirect is followed: the bot's token goes to one address alone.</summary>
internal sealed class SlackClient : ISlackClient, IDisposable
{
    static readonly CrashPoint Posting = new("slack.post");
    const int MaxAnswer = 8 << 20;
    const int PageSize = 200;
    const int MostPages = 100;
    readonly CrashPoints crash;
    readonly HttpClient http;

    public SlackClient(SlackOptions options, CrashPoints crash)
    {
        this.crash = crash;
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = options.ApiUrl,
            Timeout = options.Timeout,
            MaxResponseContentBufferSize = MaxAnswer,
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.BotToken!.Reveal());
    }

    public async Task<SlackAnswer<SlackSelf>> WhoAmI(CancellationToken cancellationToken)
    {
        using var nothing = new FormUrlEncodedContent([]);
        var answer = await Call("auth.test", nothing, cancellationToken);
        if (answer.Failure is { } failure)
            return failure;
        return Text(answer.Value!, "team_id") is { } team && Text(answer.Value!, "user_id") is { } user
            ? new SlackSelf(team, user, Text(answer.Value!, "bot_id"))
            : Unreadable("auth.test");
    }

    public async Task<SlackAnswer<string>> Post(SlackOutgoing message, CancellationToken cancellationToken)
    {
        using var body = JsonContent.Create(new JsonObject
        {
            ["channel"] = message.Channel, ["thread_ts"] = message.ThreadTs, ["text"] = message.Text, ["metadata"] = message.Metadata.DeepClone(),
            ["unfurl_links"] = false, ["unfurl_media"] = false,
        });
        await crash.Reach(Posting, CrashMoment.Before);
        var answer = await Call("chat.postMessage", body, cancellationToken);
        await crash.Reach(Posting, CrashMoment.After);
        if (answer.Failure is { } failure)
            return failure;
        return Text(answer.Value!, "ts") is { } ts ? ts : Unreadable("chat.postMessage");
    }

    public async Task<SlackAnswer<IReadOnlyList<SlackReply>>> Replies(string channel, string threadTs, CancellationToken cancellationToken)
    {
        var replies = new List<SlackReply>();
        var cursor = "";
        for (var page = 0; page < MostPages; page++)
        {
            using var asked = new FormUrlEncodedContent(
            [
                KeyValuePair.Create("channel", channel), KeyValuePair.Create("ts", threadTs), KeyValuePair.Create("include_all_metadata", "true"),
                KeyValuePair.Create("limit", $"{PageSize}"), KeyValuePair.Create("cursor", cursor),
            ]);
            var answer = await Call("conversations.replies", asked, cancellationToken);
            if (answer.Failure is { } failure)
                return failure;
            foreach (var message in answer.Value!["messages"] as JsonArray ?? [])
            {
                if (message is JsonObject found && Text(found, "ts") is { } ts)
                    replies.Add(new SlackReply(Text(found, "user"), Text(found, "bot_id"), ts, found["metadata"] as JsonObject));
            }

            cursor = answer.Value["response_metadata"] is JsonObject more ? Text(more, "next_cursor") ?? "" : "";
            if (cursor.Length == 0)
                return replies;
        }

        return new SlackFailure($"the thread is longer than {MostPages * PageSize} messages", IsCode: false);
    }

    public void Dispose() => http.Dispose();

    async Task<SlackAnswer<JsonObject>> Call(string method, HttpContent body, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsync(new Uri(method, UriKind.Relative), body, cancellationToken);
            var retryAfter = response.Headers.RetryAfter?.Delta;
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
                return new SlackFailure("ratelimited", IsCode: true, retryAfter);
            if (!response.IsSuccessStatusCode)
                return new SlackFailure($"{method} was answered with HTTP {(int)response.StatusCode}", IsCode: false, retryAfter);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (JsonNode.Parse(text) is not JsonObject answer || answer["ok"] is not JsonValue ok || !ok.TryGetValue<bool>(out var isOk))
                return Unreadable(method);
            return isOk ? answer : new SlackFailure(Text(answer, "error") ?? "unknown_error", IsCode: true, retryAfter);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SlackFailure($"{method} took longer than {http.Timeout.TotalSeconds:0} s", IsCode: false);
        }
        catch (HttpRequestException e)
        {
            return new SlackFailure($"{method} could not be called: {e.Message}", IsCode: false);
        }
        catch (JsonException)
        {
            return Unreadable(method);
        }
    }

    static SlackFailure Unreadable(string method) => new($"the answer to {method} cannot be read", IsCode: false);

    static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
