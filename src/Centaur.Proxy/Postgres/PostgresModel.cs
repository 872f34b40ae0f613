using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres.Authentication;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres;

/// <summary>The databases of one generation of the policy.</summary>
/// <param name="User">The one name that clients use.</param>
/// <param name="Cleartext">True where clients send the password itself; otherwise SCRAM-SHA-256.</param>
/// <param name="Databases">By the name that clients ask for.</param>
/// <param name="Passwords">What clients prove that they know.</param>
/// <param name="Secrets">Where DSNs come from. Each session fetches its own, so that a changed password counts at once.</param>
sealed record PostgresModel(string User, bool Cleartext, IReadOnlyList<DatabaseGrant> Databases, ScramServer Passwords, ISecretSource Secrets)
{
    /// <summary>The databases of a sandbox.</summary>
    public static PostgresModel Of(DatabaseAccess access, ISecretSource secrets) =>
        new(access.User, Cleartext: false, access.Databases, new ScramServer(new Secret("postgres.client", Encoding.ASCII.GetBytes(access.Password))), secrets);
}
