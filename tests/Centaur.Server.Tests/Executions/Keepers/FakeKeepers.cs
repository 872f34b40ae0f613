using System.Collections.Concurrent;
using System.Net.Sockets;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Tests.Executions.Keepers;

/// <summary>Sandboxes without processes: a <see cref="FakeKeeper"/> each, reached over a real socket.</summary>
internal sealed class FakeKeepers(Func<FakeKeeper, string, Task> script) : ISandboxBackend
{
    readonly ConcurrentDictionary<string, FakeKeeper> keepers = new(StringComparer.Ordinal);
    readonly ConcurrentQueue<FakeKeeper> started = new();

    /// <summary>All that were ever started, in order.</summary>
    public IReadOnlyList<FakeKeeper> Started => [.. started];

    public Task<Stream> Connect(SandboxRow sandbox, CancellationToken cancellationToken) =>
        Open(keepers.GetOrAdd(sandbox.SandboxId, _ =>
        {
            var keeper = new FakeKeeper(sandbox, script);
            started.Enqueue(keeper);
            return keeper;
        }));

    public async Task<Stream?> Reach(SandboxRow sandbox, CancellationToken cancellationToken) =>
        keepers.TryGetValue(sandbox.SandboxId, out var keeper) ? await Open(keeper) : null;

    public async Task<Stream?> Running(SandboxRow sandbox, CancellationToken cancellationToken) =>
        keepers.TryGetValue(sandbox.SandboxId, out var keeper) && !keeper.IsDead ? await Open(keeper) : null;

    public Task Kill(SandboxRow sandbox, CancellationToken cancellationToken) => keepers.TryGetValue(sandbox.SandboxId, out var keeper) ? keeper.Die() : Task.CompletedTask;

    public Task Remove(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        keepers.TryRemove(sandbox.SandboxId, out _);
        return Task.CompletedTask;
    }

    public Task Forget(string sandboxId, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RemoveFolder(string folder, CancellationToken cancellationToken) => Task.CompletedTask;

    public IReadOnlyList<string> Found() => [.. keepers.Keys];

    static async Task<Stream> Open(FakeKeeper keeper)
    {
        var path = Path.Combine(Path.GetTempPath(), $"keeper-{Guid.CreateVersion7():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        _ = keeper.Serve(new NetworkStream(await listener.AcceptAsync(), ownsSocket: true));
        File.Delete(path);
        return new NetworkStream(client, ownsSocket: true);
    }
}
