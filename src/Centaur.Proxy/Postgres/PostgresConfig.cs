namespace Centaur.Proxy.Postgres;

/// <summary>What the operator wrote under <c>postgres</c>, checked.</summary>
/// <param name="Listen"><c>address:port</c>, <c>:port</c>, or the absolute path of a Unix socket.</param>
/// <param name="ClientUser">The one name that clients use.</param>
/// <param name="ClientPassword">Name of the secret that clients use.</param>
/// <param name="Cleartext">True where clients send the password itself; otherwise SCRAM-SHA-256.</param>
/// <param name="Databases">By the name that clients ask for.</param>
sealed record PostgresConfig(string Listen, string ClientUser, string ClientPassword, bool Cleartext, IReadOnlyList<PostgresDatabase> Databases);

/// <param name="Name">The name that clients ask for, and that the DSN must name too.</param>
/// <param name="Dsn">Name of the secret that holds the address and the password.</param>
/// <param name="Role">The role that every session takes, or null for that of the DSN's user.</param>
/// <param name="Settings">Settings that every session has and cannot change.</param>
sealed record PostgresDatabase(string Name, string Dsn, string? Role, IReadOnlyList<KeyValuePair<string, string>> Settings);
