using Centaur.Proxy.Audit;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres.Backends;

namespace Centaur.Proxy.Postgres;

/// <summary>What the listener shares with the rest of the proxy.</summary>
/// <param name="Connector">Opens sessions at upstreams.</param>
/// <param name="Policies">For the databases, the operator's map, and the audit.</param>
/// <param name="Audit">Where sessions are written down.</param>
/// <param name="Limits">How long a greeting and a dial may take.</param>
/// <param name="Time">For durations.</param>
sealed record PostgresParts(BackendConnector Connector, PolicyState Policies, AuditTrail Audit, ProxyLimits Limits, TimeProvider Time);
