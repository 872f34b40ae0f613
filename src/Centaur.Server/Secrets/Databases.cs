using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>
/// The operator's databases, as one sandbox reaches them: under a name and a password of its own, which are worth nothing elsewhere. The password is the same after every restart of anybody, and a
/// guess to nobody.
/// </summary>
public sealed class Databases(SigningKey key, EgressOptions egress)
{
    const string User = "agent";

    /// <summary>What the sandbox's proxy is told; null where there are none.</summary>
    public DatabaseAccess? For(string sandboxId) => egress.Databases.Count == 0 ? null : new DatabaseAccess(User, Password(sandboxId), egress.Databases);

    /// <summary>What the sandbox is told: by the name of each DSN's secret a DSN that leads to the proxy.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables(string sandboxId) => egress.Databases.Select(database => KeyValuePair.Create(
        database.Dsn,
        $"postgresql://{User}:{Password(sandboxId)}@{JailPaths.DatabaseHost}:{JailPaths.DatabasePort}/{Uri.EscapeDataString(database.Database)}?sslmode=disable"));

    string Password(string sandboxId) => Convert.ToHexStringLower(key.Sign("database-password:" + sandboxId));
}
