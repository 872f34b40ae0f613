using System.Globalization;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres;

namespace Centaur.Proxy.Configuration;

/// <summary>Reads the section <c>postgres</c>, as iron-proxy writes it; <c>client.auth</c> is our own.</summary>
static class PostgresReader
{
    /// <param name="root">The file.</param>
    /// <param name="folder">Where relative paths begin.</param>
    /// <param name="sources">Takes where the client's password and the DSNs come from.</param>
    public static PostgresConfig? Read(YamlMap root, string folder, Dictionary<string, LocalSecret> sources)
    {
        if (root.Map("postgres") is not { } section)
            return null;
        var listen = section.Required("listen");
        var (user, cleartext) = ReadClient(section, sources, out var password);
        var databases = section.Maps("upstreams").Select(upstream => ReadDatabase(upstream, folder, sources)).ToList();
        if (databases.Count == 0)
            section.Error("needs \"upstreams\"");
        foreach (var twice in databases.GroupBy(database => database.Database).Where(group => group.Count() > 1))
            section.Error($"database \"{twice.Key}\" is named twice");
        if (!IsLocal(listen))
        {
            if (cleartext)
                section.Error("auth: password would send the password in clear text over the network; listen on loopback or a Unix socket, or use scram-sha-256");
            section.Notice("clients speak without TLS here, and \"listen\" is reachable from other machines: what they ask and get can be read on the way");
        }

        section.Done();
        return new PostgresConfig(listen, user, password, cleartext, databases);
    }

    static (string User, bool Cleartext) ReadClient(YamlMap section, Dictionary<string, LocalSecret> sources, out string password)
    {
        password = "postgres.client";
        if (section.Map("client") is not { } client)
        {
            section.Error("needs \"client\" with \"user\" and \"password_env\"");
            return ("", false);
        }

        var user = client.Required("user");
        Add(client, sources, password, LocalSecretReader.Variable(client.Required("password_env")));
        var auth = client.Text("auth");
        if (auth is not (null or "scram-sha-256" or "password"))
            client.Error("auth must be scram-sha-256 or password");
        client.Done();
        return (user, auth == "password");
    }

    static DatabaseGrant ReadDatabase(YamlMap upstream, string folder, Dictionary<string, LocalSecret> sources)
    {
        var database = upstream.Required("database");
        var name = "postgres." + database;
        if (upstream.Map("dsn") is { } dsn)
            Add(upstream, sources, name, LocalSecretReader.ReadSource(dsn, folder));
        else
            upstream.Error("needs \"dsn\" with \"type\"");
        var role = upstream.Text("role");
        var settings = new List<DatabaseSetting>();
        foreach (var setting in upstream.Maps("settings"))
        {
            settings.Add(new DatabaseSetting(setting.Required("name").ToLowerInvariant(), setting.Text("value") ?? ""));
            if (!setting.Has("value"))
                setting.Error("needs \"value\"");
            setting.Done();
        }

        var read = new DatabaseGrant(database, name) { Role = role is { Length: > 0 } ? role : null, Settings = settings };
        foreach (var problem in read.Problems())
            upstream.Error(problem);
        upstream.Done();
        return read;
    }

    static void Add(YamlMap at, Dictionary<string, LocalSecret> sources, string name, LocalSecret source)
    {
        if (!sources.TryAdd(name, source))
            at.Error($"the name \"{name}\" is taken by a secret");
    }

    static bool IsLocal(string listen) =>
        listen.StartsWith('/') || listen.StartsWith("127.", StringComparison.Ordinal) || listen.StartsWith("[::1]:", StringComparison.Ordinal)
        || listen.StartsWith("localhost:", true, CultureInfo.InvariantCulture);
}
