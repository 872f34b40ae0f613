using System.Net;
using Centaur.Testing.Slack;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>From a mention in Slack through a jailed turn to one answer in its thread, whatever dies on the way.</summary>
public sealed class SlackTests(SlackInstallation installation) : IClassFixture<SlackInstallation>
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

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
    [InlineData("slack.store:before", "F2")]
    [InlineData("slack.store:after", "F1")]
    [InlineData("slack.handle:before", "F1")]
    [InlineData("slack.handle:after", "F3")]
    [InlineData("turn.finish:before", "F3")]
    [InlineData("turn.finish:after", "F3")]
    [InlineData("delivery.claim:after", "F3")]
    [InlineData("slack.post:before", "F3")]
    [InlineData("slack.post:after", "F4")]
    [InlineData("delivery.delivered:before", "F4")]
    [InlineData("delivery.delivered:after", "F3")]
    public async Task F1_F2_F3_F4_a_kill_anywhere_between_the_mention_and_the_answer_costs_nothing(string point, string fault)
    {
        await Restart(point);
        var dying = installation.Server.Process.Pid;
        var root = await installation.Slack.Say($"<@{installation.Slack.BotUser}> Reply with exactly PONG.", null, Cancellation);
        var mention = Event(root, "Reply with exactly PONG.", null);

        await TryOnce(mention);
        await Programs.Until(() => !Directory.Exists($"/proc/{dying}"), Cancellation);
        await installation.Up(Cancellation);
        // Slack repeats what it got no 200 for, and sometimes what it did.
        await Deliver(mention);
        await Told(root, deliveries: 1);

        (await Answers(root)).ShouldBe(["PONG"], $"{fault} at {point}");
    }

    async Task Restart(string point)
    {
        SandboxProcesses.Kill(installation.Server.Process.Pid);
        installation.Variables["CENTAUR_CRASH_POINT"] = point;
        try
        {
            await installation.Up(Cancellation);
        }
        finally
        {
            installation.Variables.Remove("CENTAUR_CRASH_POINT");
        }
    }

    string Event(string ts, string text, string? threadTs) =>
        SlackSender.Envelope(
            installation.Slack.TeamId, SlackSender.Mention(installation.Slack.Channel, installation.Slack.Person, ts, $"<@{installation.Slack.BotUser}> {text}", threadTs)).ToJsonString();

    async Task Deliver(string body) => (await TryOnce(body)).ShouldBe(HttpStatusCode.OK);

    async Task<HttpStatusCode?> TryOnce(string body)
    {
        using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(installation.Server.Public!) };
        using var request = installation.Sender.Request(body);
        try
        {
            using var response = await http.SendAsync(request, Cancellation);
            return response.StatusCode;
        }
        catch (HttpRequestException)
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
