namespace Centaur.Protocol.Policy;

/// <summary>The databases that a sandbox may log in to, and how it says who it is. Their addresses and passwords are secrets that this names.</summary>
/// <param name="User">The one name that clients use.</param>
/// <param name="Password">What they prove that they know: made for this sandbox, and worth nothing elsewhere. Printable ASCII.</param>
/// <param name="Databases">By the name that clients ask for.</param>
public sealed record DatabaseAccess(string User, string Password, IReadOnlyList<DatabaseGrant> Databases)
{
    /// <summary>The password never prints.</summary>
    public override string ToString() => $"DatabaseAccess {{ User = {User}, Databases = {string.Join(", ", Databases.Select(database => database.Database))} }}";
}

/// <param name="Database">The name that clients ask for, and that the DSN must name too.</param>
/// <param name="Dsn">Name of the secret that holds address, user and password.</param>
public sealed record DatabaseGrant(string Database, string Dsn)
{
    /// <summary>The role that every session takes, or null for that of the DSN's user.</summary>
    public string? Role { get; init; }

    /// <summary>Settings that every session has and cannot change.</summary>
    public IReadOnlyList<DatabaseSetting> Settings { get; init; } = [];

    /// <summary>What of it cannot work, each in a sentence.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var setting in Settings)
        {
            if (setting.Problem() is { } problem)
                yield return problem;
        }

        foreach (var twice in Settings.GroupBy(setting => setting.Name).Where(group => group.Count() > 1))
            yield return $"{twice.Key} is named twice";
    }
}

/// <param name="Name">Lower case.</param>
/// <param name="Value">As SET takes it.</param>
public sealed record DatabaseSetting(string Name, string Value)
{
    /// <summary>Why it cannot be pinned, or null where it can.</summary>
    public string? Problem()
    {
        if (Name.Length == 0 || Name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('_' or '.')))
            return $"\"{Name}\" is not the name of a setting";
        return Name is "role" or "session_authorization" or "standard_conforming_strings" or "client_encoding"
            ? $"{Name} cannot be pinned as a setting" + (Name == "role" ? "; use \"role\"" : "")
            : null;
    }
}
