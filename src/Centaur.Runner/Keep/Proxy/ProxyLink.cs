using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Policy;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep.Proxy;

/// <summary>One running proxy and the control socket to it.</summary>
internal sealed class ProxyLink(Child process, Socket control, Action brokerLost) : IAsyncDisposable
{
    const int LongestNotice = 1 << 20;

    readonly ConcurrentDictionary<long, TaskCompletionSource<string?>> waiting = new();
    readonly TaskCompletionSource<string> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly SemaphoreSlim writing = new(1, 1);

    public Child Process => process;

    /// <summary>PEM of the certificate authority, once the proxy listens.</summary>
    public Task<string> Ready => ready.Task;

    /// <summary>Reads what the proxy says until it says no more.</summary>
    public async Task Listen(CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(control, ownsSocket: false);
        await using var reader = new LineReader(stream, LongestNotice);
        try
        {
            while (await reader.Read(cancellationToken) is { Kind: not LineKind.End } line)
            {
                if (line.Kind == LineKind.Complete)
                    Take(JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.ProxyNotice));
            }
        }
        catch (Exception ended) when (ended is IOException or JsonException or ObjectDisposedException)
        {
            // A proxy that talks nonsense is as good as dead; its end is handled where its process is awaited.
            process.Signal(Libc.SigKill);
        }
        finally
        {
            ready.TrySetException(new IOException("The proxy ended before it was ready."));
            foreach (var answer in waiting.Values)
                answer.TrySetException(new IOException("The proxy ended before it acknowledged the policy."));
        }
    }

    /// <summary>Sends a policy and returns null when it is in force, or why the proxy rejects it.</summary>
    /// <exception cref="IOException">The proxy is gone.</exception>
    public async Task<string?> Enforce(ProxyPolicy policy, CancellationToken cancellationToken)
    {
        var answer = waiting.GetOrAdd(policy.Version, _ => new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await Say(new EnforcePolicy(policy), null, cancellationToken);
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            waiting.TryRemove(policy.Version, out _);
        }
    }

    /// <summary>Gives the proxy its connection to the broker.</summary>
    public Task UseBroker(Socket connection, CancellationToken cancellationToken) => Say(new UseBroker(), connection, cancellationToken);

    async Task Say(ProxyCommand command, Socket? attached, CancellationToken cancellationToken)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(command, ProtocolJson.Default.ProxyCommand), (byte)'\n'];
        await writing.WaitAsync(cancellationToken);
        try
        {
            if (attached is not null)
            {
                DescriptorPassing.Send(control, line, attached.SafeHandle);
                return;
            }

            for (ReadOnlyMemory<byte> rest = line; !rest.IsEmpty;)
                rest = rest[await control.SendAsync(rest, SocketFlags.None, cancellationToken)..];
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            throw new IOException("The proxy is gone.", gone);
        }
        finally
        {
            writing.Release();
        }
    }

    void Take(ProxyNotice? notice)
    {
        switch (notice)
        {
            case ProxyReady listening:
                ready.TrySetResult(listening.CaCertificate);
                break;
            case ProxyPolicyAcknowledged acknowledged when waiting.TryGetValue(acknowledged.Version, out var answer):
                answer.TrySetResult(null);
                break;
            case ProxyPolicyRejected rejected when waiting.TryGetValue(rejected.Version, out var answer):
                answer.TrySetResult(rejected.Message);
                break;
            case ProxyBrokerLost:
                brokerLost();
                break;
        }
    }

    public ValueTask DisposeAsync()
    {
        control.Dispose();
        process.Signal(Libc.SigTerm);
        return ValueTask.CompletedTask;
    }
}
