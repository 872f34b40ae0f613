using System.CommandLine;
using System.Text.Json;
using Centaur.Cli.Api;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur threads stop | release</c>.</summary>
internal static class ThreadEndVerbs
{
    public static Verb Stop(CliContext context)
    {
        var key = ThreadVerbs.Key();
        var json = Shared.Json();
        return new Verb("stop", "Cancel what runs in a thread and end its sandbox; its files stay, and its next turn gets another.", "centaur threads stop cli-0f3a…")
            .With(key, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var thread = parsed.GetValue(key)!;
                var answer = await api.Post("/agent/stop", new StopBody(thread), CliJson.Default.StopBody, CliJson.Default.JsonElement, cancellationToken);
                return await Tell(context, api, thread, parsed.GetValue(json), answer, "ok", $"Stopped {thread}.", $"Nothing ran in {thread}, and it had no sandbox.", cancellationToken);
            });
    }

    public static Verb Release(CliContext context)
    {
        var key = ThreadVerbs.Key();
        var cancel = new Option<bool>("--cancel") { Description = "Also cancel what runs or is queued, here and now." };
        var json = Shared.Json();
        return new Verb("release", "End a thread's sandbox and its binding to a harness, so that it can begin with another.", "centaur threads release cli-0f3a… --cancel")
            .With(key, cancel, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var thread = parsed.GetValue(key)!;
                var body = new ReleaseBody($"cli-{Guid.CreateVersion7():N}", parsed.GetValue(cancel));
                var answer = await api.Post(
                    $"/agent/threads/{Uri.EscapeDataString(thread)}/release", body, CliJson.Default.ReleaseBody, CliJson.Default.JsonElement, cancellationToken);
                return await Tell(context, api, thread, parsed.GetValue(json), answer, "released", $"Released {thread}.", $"{thread} had nothing to release.", cancellationToken);
            });
    }

    static async Task<int> Tell(
        CliContext context, ApiClient api, string thread, bool json, JsonElement answer, string done, string yes, string no, CancellationToken cancellationToken)
    {
        var isDone = answer.GetProperty(done).GetBoolean();
        if (!isDone)
            await ThreadVerbs.MustExist(api, thread, cancellationToken);
        if (json)
            context.Terminal.Out.WriteLine(answer.GetRawText());
        else
            context.Terminal.Note(isDone ? yes : no);
        return ExitCode.Ok;
    }
}
