using Centaur.Proxy.Limits;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Configuration;

/// <summary>What the user wrote under <c>proxy</c>.</summary>
/// <param name="Listen">Its listeners; those of other sections are not among them.</param>
/// <param name="LargestBody">The largest body that is held whole for a transform.</param>
/// <param name="Limits">What an answer may take.</param>
/// <param name="Rules">Which addresses are dialled.</param>
/// <param name="Chain">Proxies behind this one.</param>
sealed record ProxySection(ListenConfig Listen, long LargestBody, ProxyLimits Limits, DialRules Rules, ProxyChain Chain);
