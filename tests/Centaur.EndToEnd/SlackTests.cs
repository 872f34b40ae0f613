using System.Net;
using Centaur.Testing.Slack;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>From a mention in Slack through a jailed turn to one answer in its thread, whatever dies on the way.</summary>
public sealed class SlackTests(SlackInstallation installation) : IClassFixture<SlackInstallation>
{
    /// <summary>The crash points that a mention passes on its way, each walked before and after.</summary>
    internal static readonly string[] Walked = ["delivery.claim", "delivery.delivered", "delivery.renew", "slack.forget", "slack.handle", "slack.post", "slack.store"];

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Kills => new(Walked.SelectMany(point => (string[])[$"{point}:before", $"{point}:after"]));

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mention_is_answered_once_in_its_thread_by_a_jailed_turn()
    {
        var root = await installation.Slack.Say($"<@{installation.Slack.BotUser}> Reply with exactly PONG.", null, Cancellation);
        await Deliver(Event(root, "Reply with exactly PONG.", null));
        await Told(root, deliveries: 1);
        var again = await installation.Slack.Say($"<@{installation.Slack.BotUser}> Reply with exactly AGAIN.", root, Cancellation);
        await Deliver(Event(again, "Reply with exactly AGAIN.", root));
        await Told(root, deliveries: 2);

        (await Answers(root)).ShouldBe(["PONG", "AGAIN"]);
    }

    [Theory]
    [MemberData(nameof(Kills))]
    public async Task F1_F2_F3_F4_a_kill_anywhere_between_the_mention_and_the_answer_costs_nothing(string at)
    {
        if (installation.ServerPid is { } running)
            SandboxProcesses.Kill(running);
        await installation.UpToDieAt(at, installation.Variables, Cancellation);
        var root = await installation.Slack.Say($"<@{installation.Slack.BotUser}> Reply with exactly PONG.", null, Cancellation);
        var mention = Event(root, "Reply with exactly PONG.", null);

        await TryOnce(mention);
        await Programs.Until(() => installation.ServerPid is null, Cancellation);
        await installation.Up(Cancellation);
        // Slack repeats what it got no 200 for, and sometimes what it did.
        await Deliver(mention);
        await Told(root, deliveries: 1);

        (await Answers(root)).ShouldBe(["PONG"], at);
    }

    string Event(string ts, string text, string? threadTs) =>
        SlackSender.Envelope(
            installation.Slack.TeamId, SlackSender.Mention(installation.Slack.Channel, installation.Slack.Person, ts, $"<@{installation.Slack.BotUser}> {text}", threadTs)).ToJsonString();

    async Task Deliver(string body) => (await TryOnce(body)).ShouldBe(HttpStatusCode.OK);

    async Task<HttpStatusCode?> TryOnce(string body)
    {
        using var request = installation.Sender.Request(body);
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(installation.Server.Public!) };
            using var response = await http.SendAsync(request, Cancellation);
            return response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return null;
        }
    }

    /// <summary>Follows the thread's log until so many deliveries are recorded as made.</summary>
    async Task Told(string root, int deliveries)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Patience);
        var threadKey = Uri.EscapeDataString($"slack:{installation.Slack.TeamId}:{installation.Slack.Channel}:{root}");
        while (true)
        {
            using var response = await installation.Http.GetAsync($"/agent/threads/{threadKey}/events", HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                await Task.Delay(100, limit.Token);
                continue;
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
            var seen = 0;
            while (await reader.ReadLineAsync(limit.Token) is { } line)
            {
                if (line == "event: final_delivery_delivered" && ++seen == deliveries)
                    return;
            }
        }
    }

    async Task<IReadOnlyList<string>> Answers(string root) =>
        [.. (await installation.Slack.Answers(root, Cancellation)).Select(m => ((string)m["text"]!).Trim())];
}
