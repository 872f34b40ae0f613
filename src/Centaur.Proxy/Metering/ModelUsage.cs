namespace Centaur.Proxy.Metering;

/// <summary>What answers of a model say that they cost. A number that no answer said is null: unknown is not nothing.</summary>
/// <param name="Model">The model's name as the vendor says it.</param>
/// <param name="Calls">Answers that were counted.</param>
/// <param name="InputTokens">Tokens that were read anew: neither from a cache nor into one.</param>
/// <param name="CachedTokens">Tokens that were read from the vendor's cache.</param>
/// <param name="CacheWriteTokens">Tokens that were written into it.</param>
/// <param name="OutputTokens">Tokens that were made, thinking included.</param>
/// <param name="IsPartial">Whether some answer ended, or was cut off, before it said what it cost in the end.</param>
sealed record ModelUsage(string? Model, int Calls, long? InputTokens, long? CachedTokens, long? CacheWriteTokens, long? OutputTokens, bool IsPartial)
{
    public ModelUsage And(ModelUsage other) => new(
        Model == other.Model || other.Model is null ? Model : other.Model,
        Calls + other.Calls,
        Sum(InputTokens, other.InputTokens),
        Sum(CachedTokens, other.CachedTokens),
        Sum(CacheWriteTokens, other.CacheWriteTokens),
        Sum(OutputTokens, other.OutputTokens),
        IsPartial || other.IsPartial);

    static long? Sum(long? one, long? other) => one is null && other is null ? null : (one ?? 0) + (other ?? 0);
}
