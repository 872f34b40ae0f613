using System.Globalization;

namespace Centaur.ProxyConformance.Fuzz;

/// <summary>How long and from where: <c>CENTAUR_FUZZ_SEED</c> repeats a run, <c>CENTAUR_FUZZ_ROUNDS</c> and <c>CENTAUR_FUZZ_MINUTES</c> make it longer.</summary>
static class FuzzSettings
{
    public static int Seed { get; } = Number("CENTAUR_FUZZ_SEED", 20261121);

    /// <summary>Of the short run.</summary>
    public static int Rounds { get; } = Number("CENTAUR_FUZZ_ROUNDS", 250);

    /// <summary>Of the long run, all kinds together.</summary>
    public static TimeSpan Long { get; } = TimeSpan.FromMinutes(Number("CENTAUR_FUZZ_MINUTES", 5));

    static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
