using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Postgres;

/// <summary>What the operator of a stand-alone proxy wrote under <c>postgres</c>, checked.</summary>
/// <param name="Listen"><c>address:port</c>, <c>:port</c>, or the absolute path of a Unix socket.</param>
/// <param name="ClientUser">The one name that clients use.</param>
/// <param name="ClientPassword">Name of the secret that clients use.</param>
/// <param name="Cleartext">True where clients send the password itself; otherwise SCRAM-SHA-256.</param>
/// <param name="Databases">By the name that clients ask for.</param>
sealed record PostgresConfig(string Listen, string ClientUser, string ClientPassword, bool Cleartext, IReadOnlyList<DatabaseGrant> Databases);
