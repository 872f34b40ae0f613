using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur egress tail | show | verify</c>: what left the sandboxes, and what was refused.</summary>
internal static class EgressVerbs
{
    const int PageSize = 500;
    static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    public static Verb Build(CliContext context) =>
        new Verb("egress", "Read what left the sandboxes and what was refused, and verify that it was not altered.", "centaur egress tail -f").With(Tail(context), Show(context), Verify(context));

    static Verb Tail(CliContext context)
    {
        var thread = Thread();
        var lines = Shared.Number("--lines", "n", "Begin with so many of the newest records.", 20, 1, PageSize, "-n");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until Ctrl-C." };
        var json = Shared.Json("Print one JSON object a line.");
        return new Verb("tail", "Print the newest records, of all threads or of one.", "centaur egress tail --thread cli-0f3a… -f").With(thread, lines, follow, json).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            var path = Path(parsed.GetValue(thread));
            var print = Printer(context, parsed.GetValue(json));
            var page = await Page(api, string.Create(CultureInfo.InvariantCulture, $"{path}?limit={parsed.GetValue(lines)}"), cancellationToken);
            while (true)
            {
                foreach (var record in page.Records)
                    print(record);
                if (!parsed.GetValue(follow))
                    break;
                if (page.Records.Count == 0)
                    await Task.Delay(BetweenLooks, context.Time, cancellationToken);
                page = await After(api, path, page.Cursor, cancellationToken);
            }

            if (page.Records.Count == 0)
                context.Terminal.Note("Nothing is recorded yet.");
            return ExitCode.Ok;
        });
    }

    static Verb Show(CliContext context)
    {
        var record = new Argument<long?>("record") { Description = "A record's number, from `egress tail`.", Arity = ArgumentArity.ZeroOrOne };
        var thread = Thread();
        var json = Shared.Json();
        var verb = new Verb("show", "Print a request with all that is known of it, or all records of a thread.", "centaur egress show 4711", "centaur egress show --thread cli-0f3a…")
            .With(record, thread, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                if (parsed.GetValue(thread) is { } key)
                    await PrintAll(api, Path(key), Printer(context, parsed.GetValue(json)), cancellationToken);
                else
                    Print(context, await Page(api, string.Create(CultureInfo.InvariantCulture, $"/admin/egress/{parsed.GetValue(record)}"), cancellationToken), parsed.GetValue(json));
                return ExitCode.Ok;
            });
        verb.Validators.Add(result =>
        {
            if (result.GetResult(record) is { Tokens.Count: > 0 } == result.GetResult(thread) is { Implicit: false })
                result.AddError("Name a record or a thread: one of the two.");
        });
        return verb;
    }

    static Verb Verify(CliContext context)
    {
        var sandbox = new Option<string?>("--sandbox") { Description = "One sandbox alone, by its id.", HelpName = "id" }.NotEmpty();
        var json = Shared.Json();
        return new Verb("verify", "Recompute the hash chains of what is stored, and name what was altered, dropped, added or moved.", "centaur egress verify", "centaur egress verify --sandbox sbx-0f3a…")
            .With(sandbox, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var query = parsed.GetValue(sandbox) is { } id ? $"?sandbox_id={Uri.EscapeDataString(id)}" : "";
                var answer = await api.Get($"/admin/egress/verify{query}", CliJson.Default.JsonElement, cancellationToken);
                var verdict = JsonSerializer.Deserialize(answer, CliJson.Default.VerifyAnswer)!;
                if (parsed.GetValue(json))
                    context.Terminal.Out.WriteLine(answer.GetRawText());
                else
                    Print(context, verdict);
                return verdict.Holds ? ExitCode.Ok : ExitCode.Failed;
            });
    }

    static void Print(CliContext context, VerifyAnswer verdict)
    {
        foreach (var fault in verdict.Faults)
        {
            var row = fault.RecordId is { } id ? string.Create(CultureInfo.InvariantCulture, $" (record {id})") : "";
            context.Terminal.Answer(Terminal.Printable(string.Create(CultureInfo.InvariantCulture, $"{fault.SandboxId}: line {fault.Line}{row} {fault.What}.")));
        }

        context.Terminal.Answer(string.Create(
            CultureInfo.InvariantCulture, $"{(verdict.Holds ? "Holds" : "DOES NOT HOLD")}: {verdict.Records} records of {verdict.Sandboxes} sandboxes, {verdict.Faults.Count} faults."));
    }

    static void Print(CliContext context, EgressPageAnswer page, bool json)
    {
        foreach (var record in page.Records)
        {
            if (json)
                context.Terminal.Out.WriteLine(record.GetRawText());
            else
                foreach (var line in EgressLine.Fields(record))
                    context.Terminal.Answer(line);
        }
    }

    static async Task PrintAll(ApiClient api, string path, Action<JsonElement> print, CancellationToken cancellationToken)
    {
        for (var page = await After(api, path, 0, cancellationToken); page.Records.Count > 0; page = await After(api, path, page.Cursor, cancellationToken))
        {
            foreach (var record in page.Records)
                print(record);
        }
    }

    static Action<JsonElement> Printer(CliContext context, bool json) =>
        json ? record => context.Terminal.Out.WriteLine(record.GetRawText()) : record => context.Terminal.Answer(EgressLine.Of(record));

    static Task<EgressPageAnswer> After(ApiClient api, string path, long cursor, CancellationToken cancellationToken) =>
        Page(api, string.Create(CultureInfo.InvariantCulture, $"{path}?after={cursor}&limit={PageSize}"), cancellationToken);

    static Task<EgressPageAnswer> Page(ApiClient api, string path, CancellationToken cancellationToken) => api.Get(path, CliJson.Default.EgressPageAnswer, cancellationToken);

    static string Path(string? thread) => thread is null ? "/admin/egress" : $"/agent/threads/{Uri.EscapeDataString(thread)}/egress";

    static Option<string?> Thread() => new Option<string?>("--thread") { Description = "One thread alone, by its key.", HelpName = "key" }.NotEmpty();
}
