using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;

namespace Centaur.ProxyConformance.Targets;

/// <summary>A product under test: says a configuration of the suite in its own words, and starts.</summary>
interface IProxyTarget
{
    /// <exception cref="NotStartedException">The program ended; the message is all that it said.</exception>
    Task<IRunningProxy> Start(SuiteConfig config, Scene scene, CancellationToken cancellationToken);
}
