using System.Collections.Concurrent;
using System.Net.Sockets;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>All sandboxes of a run. Each worker has its own door to them, so that a keeper knows who is attached.</summary>
internal sealed class ModelSandboxes : IAsyncDisposable
{
    readonly string path = Path.Combine(Path.GetTempPath(), $"model-{Guid.CreateVersion7():N}.sock");
    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly SemaphoreSlim pairing = new(1, 1);
    readonly ConcurrentDictionary<string, ModelKeeper> keepers = new(StringComparer.Ordinal);
    readonly ConcurrentBag<Task> serving = [];

    public ModelSandboxes()
    {
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
    }

    /// <summary>In the order of their threads, and for one thread of their birth: the same seed must meet them in the same order.</summary>
    public IEnumerable<ModelKeeper> Keepers(IEnumerable<string> threads) =>
        threads.SelectMany(thread => born.Where(keeper => keeper.ThreadKey == thread));

    public ISandboxBackend For(ModelWorker worker) => new Door(this, worker);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(serving);
        listener.Dispose();
        pairing.Dispose();
        File.Delete(path);
    }

    readonly ConcurrentQueue<ModelKeeper> born = [];

    async Task<Stream> Connect(ModelKeeper keeper, ModelWorker worker, CancellationToken cancellationToken)
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Socket server;
        await pairing.WaitAsync(cancellationToken);
        try
        {
            await client.ConnectAsync(new UnixDomainSocketEndPoint(path), CancellationToken.None);
            server = await listener.AcceptAsync(CancellationToken.None);
        }
        finally
        {
            pairing.Release();
        }
        serving.Add(keeper.Serve(new NetworkStream(server, ownsSocket: true), worker));
        return new NetworkStream(client, ownsSocket: true);
    }

    sealed class Door(ModelSandboxes all, ModelWorker worker) : ISandboxBackend
    {
        public async Task<Stream> Connect(SandboxRow sandbox, CancellationToken cancellationToken)
        {
            if (await Running(sandbox, cancellationToken) is { } running)
                return running;
            if (all.keepers.ContainsKey(sandbox.SandboxId))
                throw new SandboxStartException("The sandbox has ended, and nothing of it is left.");
            var keeper = new ModelKeeper(sandbox.SandboxId, sandbox.ThreadKey!);
            all.keepers[sandbox.SandboxId] = keeper;
            all.born.Enqueue(keeper);
            return await all.Connect(keeper, worker, cancellationToken);
        }

        public Task<Stream?> Reach(SandboxRow sandbox, CancellationToken cancellationToken) => Running(sandbox, cancellationToken);

        public async Task<Stream?> Running(SandboxRow sandbox, CancellationToken cancellationToken) =>
            all.keepers.TryGetValue(sandbox.SandboxId, out var keeper) && !keeper.IsGone ? await all.Connect(keeper, worker, cancellationToken) : null;

        public Task Kill(SandboxRow sandbox, CancellationToken cancellationToken)
        {
            if (all.keepers.TryGetValue(sandbox.SandboxId, out var keeper))
                keeper.Exit(jail: true);
            return Task.CompletedTask;
        }

        public Task Remove(SandboxRow sandbox, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task Forget(string sandboxId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task RemoveFolder(string folder, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IReadOnlyList<string> Found() => throw new NotSupportedException();
    }
}
