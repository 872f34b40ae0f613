using System.Net;

namespace Centaur.Proxy.Configuration;

/// <summary>What the user wrote under <c>management</c>.</summary>
/// <param name="Listen">Where commands are taken; null for none.</param>
/// <param name="KeyVariable">The variable with the key that callers must hold.</param>
sealed record ManagementConfig(IPEndPoint? Listen, string KeyVariable)
{
    public static ManagementConfig Read(YamlMap root)
    {
        if (root.Map("management") is not { } management)
            return new ManagementConfig(null, IronVariables.ManagementKey);
        var listen = ListenConfig.Read(management, "listen");
        var variable = management.Text("api_key_env") is { Length: > 0 } named ? named : IronVariables.ManagementKey;
        if (listen is not null && !IPAddress.IsLoopback(listen.Address))
            management.Notice("\"listen\" is reachable from other machines, and callers send the key without TLS: it can be read on the way");
        management.Done();
        return new ManagementConfig(listen, variable);
    }
}
