namespace Centaur.Proxy.Postgres.Sql;

/// <summary>What the operator fixed for a database, and what no session may change because the judging of statements stands on it.</summary>
sealed class SessionRules
{
    /// <summary>Encodings in which no byte below 128 is part of another character: in others a quote could hide from a reader of bytes.</summary>
    static readonly HashSet<string> Encodings = ["utf8", "unicode", "sqlascii", "latin1", "latin9", "win1252", "iso88591", "iso885915"];

    readonly HashSet<string> pinned = new(StringComparer.Ordinal);

    /// <param name="role">The role of every session, or null.</param>
    /// <param name="settings">Names of the settings that are fixed.</param>
    public SessionRules(string? role, IEnumerable<string> settings)
    {
        HasRole = role is not null;
        foreach (var name in settings.Select(name => name.ToLowerInvariant()))
        {
            HasSettings = true;
            pinned.Add(name);
            // Other names of the same thing (guc.c, map_old_guc_names), and what a transaction takes from its default.
            if (name is "work_mem" or "maintenance_work_mem")
                pinned.Add(name == "work_mem" ? "sort_mem" : "vacuum_mem");
            if (name.StartsWith("default_transaction_", StringComparison.Ordinal))
                pinned.Add(name["default_".Length..]);
            if (name.StartsWith("transaction_", StringComparison.Ordinal))
                pinned.Add("default_" + name);
        }
    }

    public bool HasRole { get; }

    public bool HasSettings { get; }

    /// <summary>Why this setting may not be changed, or None. Names of settings have no case in Postgres, quoted or not.</summary>
    public RefusalReason Change(string name) => name.ToLowerInvariant() switch
    {
        "role" or "session_authorization" => RefusalReason.Role,
        "standard_conforming_strings" => RefusalReason.StringSyntax,
        var other => pinned.Contains(other) ? RefusalReason.PinnedSetting : RefusalReason.None,
    };

    public bool Pins(string name) => pinned.Contains(name);

    /// <summary>Compared as Postgres compares: letters and digits alone, without case (encnames.c, clean_encoding_name).</summary>
    public static bool IsReadable(string encoding) => Encodings.Contains(string.Concat(encoding.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant());
}
