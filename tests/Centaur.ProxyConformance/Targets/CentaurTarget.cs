using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;

namespace Centaur.ProxyConformance.Targets;

/// <summary><c>centaur-proxy --config</c>.</summary>
sealed class CentaurTarget : IProxyTarget
{
    public async Task<IRunningProxy> Start(SuiteConfig config, Scene scene, CancellationToken cancellationToken)
    {
        var proxy = new CentaurProxy(config, scene);
        try
        {
            await proxy.Start(cancellationToken);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }
}
