using System.Text;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Runner.Keep.Jail;
using Centaur.Runner.Keep.Limits;
using Centaur.Runner.Keep.Proxy;

namespace Centaur.Runner.Keep.Attach;

/// <summary>The running parts of a sandbox: its jail and its proxy.</summary>
internal sealed record LivingSandbox(
    SandboxSpec Spec, JailProcess Jail, ProxyKeeper Proxy, IResourceGroup Group, string CaCertificate, string HarnessLog, TimeProvider Time, CancellationToken Stopping)
{
    /// <summary>The version that the proxy last acknowledged.</summary>
    public long PolicyVersion { get; set; }

    public Task WriteToken(string token, CancellationToken cancellationToken) =>
        Jail.Write(JailPaths.ApiKeyFile, KeeperFolders.PrivateFile, Encoding.UTF8.GetBytes(token), cancellationToken);

    public HarnessSurroundings Surround(SandboxIdentity identity) => new(Spec, Jail, Group, identity, HarnessLog, Time, Stopping);
}
