using Centaur.Proxy.Postgres.Authentication;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres;

/// <summary>The databases of one generation of the policy.</summary>
/// <param name="Config">What the operator wrote.</param>
/// <param name="Passwords">What clients prove that they know.</param>
/// <param name="Secrets">Where DSNs come from. Each session fetches its own, so that a changed password counts at once.</param>
sealed record PostgresModel(PostgresConfig Config, ScramServer Passwords, ISecretSource Secrets);
