namespace Centaur.Cli.Doctor;

/// <summary>How a check went.</summary>
internal static class CheckState
{
    public const string Ok = "ok";

    /// <summary>It works, with less than it could have.</summary>
    public const string Weak = "weak";

    /// <summary>Something needed does not work.</summary>
    public const string Bad = "bad";
}

/// <param name="Name">What was looked at.</param>
/// <param name="State">One of <see cref="CheckState"/>.</param>
/// <param name="Found">What was found; never a secret.</param>
/// <param name="Meaning">What that means for the user; null where nothing needs saying.</param>
/// <param name="Remedy">What to do; null where nothing needs doing.</param>
internal sealed record Check(string Name, string State, string Found, string? Meaning = null, string? Remedy = null)
{
    public static Check Ok(string name, string found, string? meaning = null) => new(name, CheckState.Ok, found, meaning);

    public static Check Weak(string name, string found, string meaning, string? remedy = null) => new(name, CheckState.Weak, found, meaning, remedy);

    public static Check Bad(string name, string found, string meaning, string remedy) => new(name, CheckState.Bad, found, meaning, remedy);
}

/// <summary>What <c>doctor --json</c> prints.</summary>
internal sealed record DoctorReport(bool Healthy, string Home, string User, IReadOnlyList<Check> Checks);
