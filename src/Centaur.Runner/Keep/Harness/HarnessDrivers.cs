namespace Centaur.Runner.Keep.Harness;

/// <summary>The drivers by the name that a launch gives them. A new harness is one line here and one file beside it.</summary>
internal static class HarnessDrivers
{
    /// <summary>Null where no driver has that name.</summary>
    public static IHarnessDriver? Make(string name) => name switch
    {
        "ndjson" => new NdjsonDriver(),
        "built-in" => new BuiltInDriver(),
        "codex" => new CodexDriver(),
        _ => null,
    };
}
