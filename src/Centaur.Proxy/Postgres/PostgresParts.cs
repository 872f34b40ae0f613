using Centaur.Proxy.Audit;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres;

/// <summary>What the listener shares with the rest of the proxy.</summary>
/// <param name="Connector">Opens sessions at upstreams.</param>
/// <param name="Policies">For the operator's map, and for the audit.</param>
/// <param name="Audit">Where sessions are written down.</param>
/// <param name="Secrets">Where DSNs come from. Each session fetches its own, so that a changed password counts at once.</param>
/// <param name="Limits">How long a greeting and a dial may take.</param>
/// <param name="Time">For durations.</param>
sealed record PostgresParts(BackendConnector Connector, PolicyState Policies, AuditTrail Audit, ISecretSource Secrets, ProxyLimits Limits, TimeProvider Time);
