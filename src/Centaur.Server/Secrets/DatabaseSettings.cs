using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>Reads <c>egress.databases</c>, in the words of the stand-alone proxy's file; <c>dsn</c> names a secret.</summary>
internal static class DatabaseSettings
{
    public static IReadOnlyList<DatabaseGrant> Read(SettingsSection egress, IReadOnlyList<string> shown)
    {
        var databases = egress.Items("databases", (entry, _) => ReadDatabase(entry, shown));
        foreach (var twice in databases.GroupBy(database => database.Database).Where(group => group.Count() > 1))
            egress.Report("databases", $"name {twice.Key} twice");
        foreach (var twice in databases.GroupBy(database => database.Dsn).Where(group => group.Count() > 1))
            egress.Report("databases", $"use the secret {twice.Key} twice; a DSN names one database");
        return databases;
    }

    static DatabaseGrant ReadDatabase(SettingsSection entry, IReadOnlyList<string> shown)
    {
        var read = new DatabaseGrant(entry.Required("database"), entry.Required("dsn"))
        {
            Role = entry.OptionalText("role"),
            Settings = entry.Items("settings", (setting, _) => new DatabaseSetting(setting.Required("name").ToLowerInvariant(), setting.Required("value"))),
        };
        if (read.Dsn.Length > 0 && !SecretModel.IsName(read.Dsn))
            entry.Report("dsn", "must be the name of a secret, such as SHOP_DSN; the DSN itself goes to centaur secrets set");
        if (shown.Contains(read.Dsn))
            entry.Report("dsn", $"names {read.Dsn}, which egress.secrets grants as a placeholder too: the sandbox has one variable of that name");
        foreach (var problem in read.Problems())
            entry.Report("settings", problem);
        return read;
    }
}
