using System.Security.Cryptography;
using System.Text;
using Centaur.Protocol.Host;

namespace Centaur.Server.Platform.Configuration;

/// <summary>The machine that this server runs on, as sandboxes and workers name it.</summary>
/// <param name="HostId">The same after every restart, and another for every home on one machine.</param>
/// <param name="IsRoot">True where sandboxes get users of their own.</param>
/// <param name="Layout">Where everything lies.</param>
public sealed record HostIdentity(string HostId, bool IsRoot, HostLayout Layout)
{
    public static HostIdentity Of(HostLayout layout, bool isRoot)
    {
        const string MachineId = "/etc/machine-id";
        var machine = File.Exists(MachineId) ? File.ReadAllText(MachineId).Trim() : "";
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{machine}\n{layout.Home}"));
        return new HostIdentity($"{Environment.MachineName}-{Convert.ToHexStringLower(digest.AsSpan(0, 4))}", isRoot, layout);
    }
}
