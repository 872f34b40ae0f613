using System.CommandLine;

namespace Centaur.Cli.Commands;

/// <summary>Options that mean the same wherever they stand.</summary>
internal static class Shared
{
    public static Option<bool> Json(string what = "Print JSON instead of text.") => new("--json") { Description = what };

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "No progress on standard error." };
}
