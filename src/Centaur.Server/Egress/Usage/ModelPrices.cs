using System.Text.RegularExpressions;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Egress.Usage;

/// <summary>What a million tokens of a model cost, in US dollars.</summary>
/// <param name="Model">The model's name without its date, or the beginning of names with a <c>*</c> behind.</param>
/// <param name="Input">Tokens that are read.</param>
/// <param name="Output">Tokens that are made.</param>
/// <param name="Cached">Tokens that are read from the vendor's cache.</param>
/// <param name="CacheWrite">Tokens that are written into it.</param>
public sealed record ModelPrice(string Model, decimal Input, decimal Output, decimal Cached, decimal CacheWrite)
{
    public bool Covers(string model) =>
        Model.EndsWith('*') ? model.StartsWith(Model[..^1], StringComparison.OrdinalIgnoreCase) : model.Equals(Model, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The price table: the operator's entries first, in their order, then the vendors' list prices as they were when this was written. A model that neither knows has no price.</summary>
public sealed partial class ModelPrices(IReadOnlyList<ModelPrice> prices)
{
    const decimal Million = 1_000_000;
    const double MostDollars = 1_000_000;

    /// <summary>List prices of November 2025.</summary>
    static readonly ModelPrice[] Listed =
    [
        new("claude-opus-4-5", 5, 25, 0.5m, 6.25m),
        new("claude-opus-4-1", 15, 75, 1.5m, 18.75m),
        new("claude-sonnet-4-5", 3, 15, 0.3m, 3.75m),
        new("claude-sonnet-4", 3, 15, 0.3m, 3.75m),
        new("claude-haiku-4-5", 1, 5, 0.1m, 1.25m),
        new("gpt-5", 1.25m, 10, 0.125m, 1.25m),
        new("gpt-5-codex", 1.25m, 10, 0.125m, 1.25m),
        new("gpt-5.1", 1.25m, 10, 0.125m, 1.25m),
        new("gpt-5.1-codex", 1.25m, 10, 0.125m, 1.25m),
        new("gpt-5-mini", 0.25m, 2, 0.025m, 0.25m),
        new("gpt-5-nano", 0.05m, 0.4m, 0.005m, 0.05m),
        new("gpt-4.1", 2, 8, 0.5m, 2),
        new("gpt-4.1-mini", 0.4m, 1.6m, 0.1m, 0.4m),
        new("gpt-4o", 2.5m, 10, 1.25m, 2.5m),
        new("gpt-4o-mini", 0.15m, 0.6m, 0.075m, 0.15m),
    ];

    public static ModelPrices Read(Settings settings) => new([.. settings.Root.Section("egress").Items("prices", Entry), .. Listed]);

    /// <summary>In dollars; null where the model has no price, or where an answer did not say how much it read and made.</summary>
    public decimal? CostOf(string? model, long? input, long? cached, long? cacheWrite, long? output)
    {
        if (model is null || input is null || output is null || PriceOf(model) is not { } price)
            return null;
        return ((input.Value * price.Input) + ((cached ?? 0) * price.Cached) + ((cacheWrite ?? 0) * price.CacheWrite) + (output.Value * price.Output)) / Million;
    }

    ModelPrice? PriceOf(string model)
    {
        var undated = Date().Replace(model, "");
        return prices.FirstOrDefault(price => price.Covers(model) || price.Covers(undated));
    }

    static ModelPrice Entry(SettingsSection entry, int index)
    {
        var model = entry.Required("model");
        var input = Dollars(entry, "input", null);
        return new ModelPrice(model, input, Dollars(entry, "output", null), Dollars(entry, "cached", input), Dollars(entry, "cache_write", input));
    }

    static decimal Dollars(SettingsSection entry, string key, decimal? fallback)
    {
        if (fallback is null)
            entry.Required(key);
        return (decimal)entry.Decimal(key, (double)(fallback ?? 0), 0, MostDollars);
    }

    /// <summary><c>-20250929</c> or <c>-2025-08-07</c>: a vendor's mark of one build of a model.</summary>
    [GeneratedRegex(@"-20\d{2}-?\d{2}-?\d{2}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Date();
}
