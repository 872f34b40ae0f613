namespace Centaur.Proxy.Postgres.Sql;

/// <param name="Reason">Why the whole text is refused, or None.</param>
/// <param name="Kinds">The kind of each statement in it; of the refused one alone where it is refused.</param>
/// <param name="Replacement">What is sent instead, for the one statement that is allowed in a safe spelling; otherwise null.</param>
readonly record struct Verdict(RefusalReason Reason, IReadOnlyList<string> Kinds, string? Replacement = null);
