using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Platform.Http;

/// <summary>Tells the command line where this server listens, from when it listens until it stops. A server that was killed leaves its file, whose mark names nobody.</summary>
internal sealed class ServerStateWriter(HostIdentity host, BoundListeners listeners, IHostApplicationLifetime lifetime, ILogger<ServerStateWriter> log) : IHostedService
{
    const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Runs before the listeners open.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // As root, users of their own pass through the folder (HostLayout).
        listeners.FreeSocket(host.IsRoot ? OwnersAlone | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : OwnersAlone);
        lifetime.ApplicationStarted.Register(Write);
        lifetime.ApplicationStopping.Register(Remove);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    void Write()
    {
        var state = new ServerState(ProcessMark.Of(Environment.ProcessId)!, listeners.Api, listeners.Sandboxes, listeners.Public, host.Version);
        PrivateFile.Replace(host.Layout.ServerStateFile, JsonSerializer.Serialize(state, ProtocolJson.Default.ServerState));
        HttpLog.Serving(log, listeners.Api, listeners.Sandboxes, listeners.Public ?? "off");
    }

    void Remove()
    {
        var written = PrivateFile.Read(host.Layout.ServerStateFile) is { } text ? JsonSerializer.Deserialize(text, ProtocolJson.Default.ServerState) : null;
        if (written?.Process == ProcessMark.Of(Environment.ProcessId))
            File.Delete(host.Layout.ServerStateFile);
    }
}
