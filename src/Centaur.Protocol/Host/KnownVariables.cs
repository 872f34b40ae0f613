namespace Centaur.Protocol.Host;

/// <summary>
/// Every <c>CENTAUR_*</c> variable that a program here reads. One that stands in the environment and not here is a typing error that would
/// silently do nothing, so it stops the start.
/// </summary>
public static class KnownVariables
{
    public const string Prefix = "CENTAUR_";

    public static IReadOnlyList<string> Names { get; } =
    [
        "CENTAUR_API_KEY",
        "CENTAUR_API_URL",
        "CENTAUR_CONFIG",
        "CENTAUR_CRASH_POINT",
        "CENTAUR_HOME",
        "CENTAUR_THREAD_KEY",
        "CENTAUR_TOOLS_URL",
        "CENTAUR_TRACE_ID",
    ];

    /// <summary>The first variable that nobody reads, with the known one nearest to it; null when all are known.</summary>
    public static UnknownVariable? FirstUnknown(IEnumerable<string> variables)
    {
        var unknown = variables.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && !Names.Contains(name)).Order(StringComparer.Ordinal).FirstOrDefault();
        return unknown is null ? null : new UnknownVariable(unknown, NearestName.Near(unknown, Names));
    }
}

/// <param name="Name">What stands in the environment.</param>
/// <param name="Nearest">What was probably meant; null where no name is near.</param>
public sealed record UnknownVariable(string Name, string? Nearest)
{
    public override string ToString() => $"{Name} is set, and no program reads it.{(Nearest is null ? "" : $" Did you mean {Nearest}?")}";
}
