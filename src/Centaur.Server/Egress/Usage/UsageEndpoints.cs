using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Egress.Usage;

/// <summary>What models cost: of a thread for whoever may read the thread, of all threads for an operator.</summary>
internal static class UsageEndpoints
{
    const int UsualDays = 30;
    const int MostDays = 366;
    const string Meaning = "cost_usd is what the calls cost whose model has a price; unpriced_calls are not in it, and null is unknown.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/threads/{thread_key}/usage", OfThread)
            .Needs(Scopes.Execute).WithTags("egress").WithSummary("Read what a thread's turns cost at models").WithDescription(Meaning)
            .Produces<ThreadUsage>().Produces<DetailBody>(404);
        routes.MapGet("/admin/usage", OfDays)
            .Needs(Scopes.Admin).WithTags("egress").WithSummary("Read what all threads cost at models, by day and model").WithDescription(Meaning)
            .Produces<DailyUsage>().Produces<InvalidBody>(422);
    }

    static async Task<IResult> OfThread(HttpContext http, UsageStore store, EgressReadStore records, ModelPrices prices, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Caller().RefusalFor(threadKey) is { } foreign)
            return foreign;
        var rows = await store.OfThread(threadKey, cancellationToken);
        if (rows.Count == 0 && !await records.Knows(threadKey, cancellationToken))
            return ApiFailure.Detail(StatusCodes.Status404NotFound, "thread not found");
        return TypedResults.Json(
            new ThreadUsage(threadKey, UsageTotal.Of(rows, prices), [.. rows.Select(row => new TurnUsage(row.Key, row.ExecutionId, row.Model, UsageTotal.Of([row], prices)))]), ApiJson.Options);
    }

    static async Task<IResult> OfDays(string? days, UsageStore store, ModelPrices prices, CancellationToken cancellationToken)
    {
        if (days is not null && (!int.TryParse(days, out var asked) || asked is < 1 or > MostDays))
            return ApiFailure.Invalid([new FieldError(["query", "days"], $"days must be a whole number from 1 to {MostDays}", "value_error")]);
        var rows = await store.OfDays(days is null ? UsualDays : int.Parse(days, System.Globalization.CultureInfo.InvariantCulture), cancellationToken);
        return TypedResults.Json(new DailyUsage(UsageTotal.Of(rows, prices), [.. rows.Select(row => new DayUsage(row.Key!, row.Model, UsageTotal.Of([row], prices)))]), ApiJson.Options);
    }
}

/// <param name="ThreadKey">The thread.</param>
/// <param name="Total">All of it.</param>
/// <param name="Turns">By turn and model, the oldest turn first; a null turn is what was asked outside of any.</param>
public sealed record ThreadUsage(string ThreadKey, UsageTotal Total, IReadOnlyList<TurnUsage> Turns);

public sealed record TurnUsage(string? TurnId, string? ExecutionId, string? Model, UsageTotal Usage);

/// <param name="Total">All of it.</param>
/// <param name="Days">By day (UTC) and model, the newest day first.</param>
public sealed record DailyUsage(UsageTotal Total, IReadOnlyList<DayUsage> Days);

public sealed record DayUsage(string Day, string? Model, UsageTotal Usage);

/// <summary>A sum. A number that no answer said is null.</summary>
/// <param name="Calls">Answers of models.</param>
/// <param name="InputTokens">Read anew.</param>
/// <param name="CachedTokens">Read from the vendor's cache.</param>
/// <param name="CacheWriteTokens">Written into it.</param>
/// <param name="OutputTokens">Made.</param>
/// <param name="CostUsd">What the calls cost whose model has a price; null where none has.</param>
/// <param name="UnpricedCalls">Calls that are not in it.</param>
/// <param name="PartialCalls">Calls that ended before they said their last word: they may have cost more.</param>
public sealed record UsageTotal(
    int Calls, long? InputTokens, long? CachedTokens, long? CacheWriteTokens, long? OutputTokens, decimal? CostUsd, int UnpricedCalls, int PartialCalls)
{
    internal static UsageTotal Of(IReadOnlyCollection<UsageRow> rows, ModelPrices prices)
    {
        var costs = rows.Select(row => (row.Calls, row.UnknownCalls, Cost: row.UnknownCalls == row.Calls ? null : prices.CostOf(row.Model, row.Input, row.Cached, row.CacheWrite, row.Output))).ToList();
        return new UsageTotal(
            rows.Sum(row => row.Calls), Sum(rows, row => row.Input), Sum(rows, row => row.Cached), Sum(rows, row => row.CacheWrite), Sum(rows, row => row.Output),
            costs.Exists(cost => cost.Cost is not null) ? costs.Sum(cost => cost.Cost ?? 0) : null,
            costs.Sum(cost => cost.Cost is null ? cost.Calls : cost.UnknownCalls),
            rows.Sum(row => row.PartialCalls));
    }

    static long? Sum(IReadOnlyCollection<UsageRow> rows, Func<UsageRow, long?> number) => rows.Any(row => number(row) is not null) ? rows.Sum(row => number(row) ?? 0) : null;
}
