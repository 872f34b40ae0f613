using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur usage</c>: what models cost, by day or by the turns of a thread.</summary>
internal static class UsageVerb
{
    const int MostDays = 366;
    static readonly string[] Headings = ["MODEL", "CALLS", "INPUT", "CACHED", "OUTPUT", "COST"];

    public static Verb Build(CliContext context)
    {
        var thread = new Option<string?>("--thread") { Description = "One thread alone, by its key: its turns instead of days.", HelpName = "key" }.NotEmpty();
        var days = Shared.Number("--days", "n", "So many days, today included.", 30, 1, MostDays);
        var json = Shared.Json();
        return new Verb("usage", "Show what models cost: tokens, and dollars where the model has a price.", "centaur usage", "centaur usage --thread cli-0f3a…")
            .With(thread, days, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var path = parsed.GetValue(thread) is { } key
                    ? $"/agent/threads/{Uri.EscapeDataString(key)}/usage"
                    : string.Create(CultureInfo.InvariantCulture, $"/admin/usage?days={parsed.GetValue(days)}");
                var answer = await api.Get(path, CliJson.Default.JsonElement, cancellationToken);
                if (parsed.GetValue(json))
                    context.Terminal.Out.WriteLine(answer.GetRawText());
                else
                    Print(context, JsonSerializer.Deserialize(answer, CliJson.Default.UsageAnswer)!);
                return ExitCode.Ok;
            });
    }

    static void Print(CliContext context, UsageAnswer answer)
    {
        if (answer.Total.Calls == 0)
        {
            context.Terminal.Note("No model was asked.");
            return;
        }

        var rows = answer.Turns?.Select(turn => (Of: turn.ExecutionId ?? turn.TurnId ?? "-", turn.Model, turn.Usage)) ?? answer.Days!.Select(day => (Of: day.Day, day.Model, day.Usage));
        TextTable.Write(
            context.Terminal,
            [answer.Turns is null ? "DAY" : "TURN", .. Headings],
            [.. rows.Select(row => Row(row.Of, row.Model ?? "unknown", row.Usage)), Row("total", "", answer.Total)]);
        if (answer.Total.UnpricedCalls > 0)
            context.Terminal.Note($"{answer.Total.UnpricedCalls} calls have no known price and are not in the cost: add their models under `egress.prices` in centaur.yaml.");
        if (answer.Total.PartialCalls > 0)
            context.Terminal.Note($"{answer.Total.PartialCalls} calls were cut off before they said what they cost in the end.");
    }

    static IReadOnlyList<string> Row(string of, string model, UsageShape usage) =>
        [of, model, Number(usage.Calls), Number(usage.InputTokens), Number(usage.CachedTokens), Number(usage.OutputTokens), usage.CostUsd is { } cost ? cost.ToString("$0.0000", CultureInfo.InvariantCulture) : "unknown"];

    static string Number(long? count) => count?.ToString("N0", CultureInfo.InvariantCulture) ?? "unknown";
}
