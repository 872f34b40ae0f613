using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur threads ls | show | tail | stop | release</c>.</summary>
internal static class ThreadVerbs
{
    public static Verb Build(CliContext context) =>
        new Verb("threads", "List threads, print, follow, stop or release one.", "centaur threads ls")
            .With(List(context), Show(context), Tail(context), ThreadEndVerbs.Stop(context), ThreadEndVerbs.Release(context));

    static Verb List(CliContext context)
    {
        var limit = Shared.Number("--limit", "n", "At most so many, newest first.", 50, 1, 500);
        var json = Shared.Json();
        return new Verb("ls", "List threads.", "centaur threads ls --limit 10").With(limit, json).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            var count = parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture);
            if (parsed.GetValue(json))
            {
                context.Terminal.Out.WriteLine((await api.Get($"/agent/threads?limit={count}", CliJson.Default.JsonElement, cancellationToken)).GetRawText());
                return ExitCode.Ok;
            }

            var answer = await api.Get($"/agent/threads?limit={count}", CliJson.Default.ThreadsAnswer, cancellationToken);
            if (answer.Threads.Count == 0)
            {
                context.Terminal.Note("There is no thread yet; centaur ask begins one.");
                return ExitCode.Ok;
            }

            TextTable.Write(
                context.Terminal, ["thread", "state", "harness", "turns", "last activity", "first question"],
                answer.Threads.Select(thread => (string[])
                [
                    thread.SlackThreadKey, thread.State ?? "", thread.Harness ?? "", thread.TurnCount.ToString(CultureInfo.InvariantCulture), Moment(thread.LastActivity),
                    Short(thread.FirstMessage ?? thread.ThreadName),
                ]));
            return ExitCode.Ok;
        });
    }

    static Verb Show(CliContext context)
    {
        var key = Key();
        var json = Shared.Json();
        return new Verb("show", "Print the messages and executions of a thread.", "centaur threads show cli-0f3a…").With(key, json).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            var thread = parsed.GetValue(key)!;
            var messages = await AllMessages(api, thread, cancellationToken);
            var executions = await api.Get($"/agent/threads/{Uri.EscapeDataString(thread)}/executions?limit=100", CliJson.Default.JsonElement, cancellationToken);
            if (messages.Count == 0 && Executions(executions) == "[]")
                await MustExist(api, thread, cancellationToken);
            if (parsed.GetValue(json))
            {
                var list = string.Join(',', messages.Select(message => message.GetRawText()));
                context.Terminal.Out.WriteLine(
                    $"{{\"thread_key\":{JsonSerializer.Serialize(thread, CliJson.Default.String)},\"messages\":[{list}],\"executions\":{Executions(executions)}}}");
                return ExitCode.Ok;
            }

            foreach (var message in messages)
                context.Terminal.Answer($"[{Field(message, "role")}] {Text(message)}");
            foreach (var execution in JsonSerializer.Deserialize(executions, CliJson.Default.ExecutionsAnswer)!.Executions.Reverse())
                await PrintExecution(context, api, execution, cancellationToken);
            return ExitCode.Ok;
        });
    }

    static Verb Tail(CliContext context)
    {
        var key = Key();
        var after = Shared.Number("--after", "event-id", "Begin after this event id; 0 for the thread's beginning.", 0, 0, long.MaxValue);
        var json = Shared.Json("As it is without: one JSON object a line.");
        return new Verb("tail", "Follow a thread's events, one JSON object a line, until Ctrl-C.", "centaur threads tail cli-0f3a… --after 120")
            .With(key, after, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var stream = new EventStream(api, parsed.GetValue(key)!, executionId: null, live: false) { Cursor = parsed.GetValue(after) };
                await foreach (var happened in stream.Read((failures, token) => Task.Delay(Math.Min(5000, 200 * failures), token), cancellationToken))
                {
                    var id = happened.Id?.ToString(CultureInfo.InvariantCulture) ?? "null";
                    context.Terminal.Out.WriteLine(
                        $"{{\"event_id\":{id},\"kind\":{JsonSerializer.Serialize(happened.Kind, CliJson.Default.String)},\"event\":{happened.Data.GetRawText()}}}");
                }

                return ExitCode.Ok;
            });
    }

    static async Task<List<JsonElement>> AllMessages(ApiClient api, string thread, CancellationToken cancellationToken)
    {
        var all = new List<JsonElement>();
        var cursor = "";
        while (true)
        {
            var page = await api.Get(
                $"/agent/messages?thread_key={Uri.EscapeDataString(thread)}&limit=200{cursor}", CliJson.Default.MessagesAnswer, cancellationToken);
            all.AddRange(page.Messages);
            if (!page.HasMore || page.Cursor is null)
                return all;
            cursor = $"&cursor={Uri.EscapeDataString(page.Cursor)}";
        }
    }

    static async Task PrintExecution(CliContext context, ApiClient api, ExecutionEntry entry, CancellationToken cancellationToken)
    {
        var took = entry.CompletedAt - entry.StartedAt;
        context.Terminal.Answer(string.Create(CultureInfo.InvariantCulture, $"{entry.ExecutionId}  {entry.Status}  {Moment(entry.CreatedAt)}{(took is null ? "" : $"  {took.Value.TotalSeconds:0.0} s")}"));
        if (entry.Status != "failed_permanent")
            return;
        var failed = await api.Get($"/agent/executions/{Uri.EscapeDataString(entry.ExecutionId)}", CliJson.Default.ExecutionAnswer, cancellationToken);
        context.Terminal.Answer($"  {failed.TerminalReason}: {failed.ErrorText}");
    }

    /// <summary>A thread may be there and have said nothing yet, or have rested for so long that its session is forgotten and its messages are not.</summary>
    internal static async Task MustExist(ApiClient api, string thread, CancellationToken cancellationToken)
    {
        var key = Uri.EscapeDataString(thread);
        var status = await api.Get($"/agent/status?key={key}", CliJson.Default.StatusAnswer, cancellationToken);
        if (status.Status == "not_found" && (await api.Get($"/agent/messages?thread_key={key}&limit=1", CliJson.Default.MessagesAnswer, cancellationToken)).Messages.Count == 0)
            throw new CliError(ExitCode.Refused, $"There is no thread {thread}.", remedy: "centaur threads ls");
    }

    internal static Argument<string> Key() => new Argument<string>("thread") { Description = "The thread's key." }.NotEmpty();

    static string Executions(JsonElement answer) => answer.TryGetProperty("executions", out var list) ? list.GetRawText() : "[]";

    static string Field(JsonElement item, string name) => item.TryGetProperty(name, out var value) ? value.ToString() : "";

    static string Text(JsonElement message) =>
        message.TryGetProperty("parts", out var parts) && parts.ValueKind == JsonValueKind.Array
            ? string.Join('\n', parts.EnumerateArray().Select(part => Field(part, "type") == "text" ? Field(part, "text") : $"<{$"{Field(part, "type")} {Field(part, "name")}".TrimEnd()}>"))
            : "";

    static string Moment(double? seconds) =>
        seconds is { } since ? Moment(DateTimeOffset.FromUnixTimeMilliseconds((long)(since * 1000))) : "";

    static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static string Short(string? text) => text is null ? "" : text.Length <= 60 ? text : text[..59] + "…";
}
