using Centaur.Protocol.Host;

namespace Centaur.Server.Access;

/// <summary>The words of authority and how they match (contract §1.9).</summary>
public static class Scopes
{
    public const string Admin = "admin";
    public const string Execute = "agent:execute";
    public const string Status = "agent:status";
    public const string Stop = "agent:stop";

    const string Any = "<name>";
    static readonly IReadOnlyList<string> Words = KeyScopes.All.Select(s => s.Name).Where(n => !n.EndsWith(Any, StringComparison.Ordinal)).ToList();
    static readonly IReadOnlyList<string> Prefixes = KeyScopes.All.Select(s => s.Name).Where(n => n.EndsWith(Any, StringComparison.Ordinal)).Select(n => n[..^Any.Length]).ToList();

    /// <summary>True where one of the held scopes permits what is needed: <c>*</c> all, <c>agent</c> every <c>agent:…</c>, others exactly.</summary>
    public static bool Permit(IReadOnlyList<string> held, string needed)
    {
        var category = needed.IndexOf(':') is var colon and >= 0 ? needed[..colon] : null;
        return held.Any(scope =>
            scope == "*"
            || scope == needed
            || (category is not null && (scope == $"{category}:*" || (scope == category && category is "agent" or "workflows"))));
    }

    public static bool IsValid(string scope) =>
        Words.Contains(scope) || Prefixes.Any(p => scope.Length > p.Length && scope.Length <= 200 && scope.StartsWith(p, StringComparison.Ordinal));

    public static string Allowed => string.Join(", ", KeyScopes.All.Select(s => s.Name));
}
