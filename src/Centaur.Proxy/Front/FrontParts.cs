using Centaur.Proxy.Audit;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Front;

/// <summary>What all entrances share.</summary>
/// <param name="Policies">What may be reached.</param>
/// <param name="Limits">What clients may take.</param>
/// <param name="Connections">How many are inside.</param>
/// <param name="Audit">Where refusals are recorded.</param>
/// <param name="Relay">Carries what is not looked into.</param>
sealed record FrontParts(PolicyState Policies, ProxyLimits Limits, Gate Connections, AuditTrail Audit, PassthroughRelay Relay);
