using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Keep.Proxy;

/// <summary>
/// Keeps one proxy running for the life of the sandbox. The listening sockets, the certificate authority (a sealed file in memory) and the policy are the
/// keeper's, so a proxy that is restarted goes on where its predecessor died; connections that come meanwhile wait in their backlog.
/// </summary>
internal sealed class ProxyKeeper : IAsyncDisposable
{
    const int Backlog = 512;
    // Read as well: a proxy that starts anew goes on with the hash chain where the last line left it.
    const int ReadAndAppend = 2 | 0x400 | 0x40 | Libc.CloseOnExec;
    const int WorkingFolder = -100;
    static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan PolicyPatience = TimeSpan.FromSeconds(15);
    static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(5);
    static readonly TimeSpan BrokerPause = TimeSpan.FromSeconds(1);

    readonly SandboxSpec spec;
    readonly Children children;
    readonly Action restarted;
    readonly Socket listener;
    readonly Socket databases;
    readonly SafeFileHandle authority = MemoryFile.Empty("ca");
    readonly SafeFileHandle audit;
    readonly SemaphoreSlim changing = new(1, 1);
    readonly CancellationTokenSource ending = new();
    ProxyLink? link;
    ProxyPolicy? policy;
    string? ticket;

    public ProxyKeeper(SandboxSpec spec, KeeperFolders folders, Children children, Action restarted)
    {
        this.spec = spec;
        this.children = children;
        this.restarted = restarted;
        listener = Listen(folders, folders.ProxySocket);
        databases = Listen(folders, folders.PostgresSocket);
        audit = new SafeFileHandle(Libc.Check(Libc.openat(WorkingFolder, folders.Audit, ReadAndAppend, 0x180), $"Open {folders.Audit}"), ownsHandle: true);
    }

    /// <summary>Starts the first proxy; returns the certificate authority's PEM. From then on a proxy that ends is started again.</summary>
    /// <exception cref="IOException">It ended, or did not get ready.</exception>
    public async Task<string> Start(CancellationToken cancellationToken)
    {
        var certificate = await Launch(cancellationToken);
        _ = Watch(ending.Token);
        return certificate;
    }

    /// <summary>Puts a policy in force; returns null, or why it is refused.</summary>
    public async Task<string?> Enforce(ProxyPolicy wanted, string? brokerTicket, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ending.Token);
        patience.CancelAfter(PolicyPatience);
        while (true)
        {
            var seen = link;
            try
            {
                await changing.WaitAsync(patience.Token);
                try
                {
                    seen = link!;
                    if (brokerTicket is not null)
                    {
                        await GiveBroker(seen, brokerTicket, patience.Token);
                        ticket = brokerTicket;
                    }

                    if (await seen.Enforce(wanted, patience.Token) is { } reason)
                        return reason;
                    policy = wanted;
                    return null;
                }
                finally
                {
                    changing.Release();
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return "The proxy does not answer.";
            }
            catch (IOException) when (seen is not null && seen.Process.Exited.IsCompleted)
            {
                // It died under our hands; its successor is on the way.
                await Task.Delay(FirstBackoff, cancellationToken);
            }
            catch (IOException failure)
            {
                return failure.Message;
            }
        }
    }

    async Task<string> Launch(CancellationToken cancellationToken)
    {
        var (ours, theirs) = SocketPair.Stream();
        using (theirs)
        {
            var child = await children.Start(new SpawnRequest
            {
                Arguments = [.. Privileges(), spec.ProxyProgram, "sandbox", ProxyDescriptors.PostgresArgument],
                Environment = ProxyEnvironment(),
                Descriptors =
                [
                    new((int)listener.SafeHandle.DangerousGetHandle(), ProxyDescriptors.Listener),
                    new((int)theirs.DangerousGetHandle(), ProxyDescriptors.Control),
                    new((int)authority.DangerousGetHandle(), ProxyDescriptors.CertificateAuthority),
                    new((int)audit.DangerousGetHandle(), ProxyDescriptors.Audit),
                    new((int)databases.SafeHandle.DangerousGetHandle(), ProxyDescriptors.Postgres),
                ],
            });
            var fresh = new ProxyLink(child, ours, () => _ = ReopenBroker(ending.Token));
            _ = fresh.Listen(ending.Token);
            link = fresh;
            try
            {
                return await fresh.Ready.WaitAsync(ReadyPatience, cancellationToken);
            }
            catch (Exception)
            {
                await fresh.DisposeAsync();
                child.Signal(Libc.SigKill);
                throw;
            }
        }
    }

    async Task Watch(CancellationToken stoppingToken)
    {
        var backoff = FirstBackoff;
        while (!stoppingToken.IsCancellationRequested)
        {
            var ended = link!;
            await ended.Process.Exited.WaitAsync(stoppingToken);
            await ended.DisposeAsync();
            await changing.WaitAsync(stoppingToken);
            try
            {
                await Task.Delay(backoff, stoppingToken);
                await Launch(stoppingToken);
                if (ticket is not null)
                    await GiveBroker(link!, ticket, stoppingToken);
                if (policy is not null)
                    await link!.Enforce(policy, stoppingToken);
                backoff = FirstBackoff;
                restarted();
            }
            catch (Exception failure) when (failure is IOException or TimeoutException)
            {
                await Console.Error.WriteLineAsync($"proxy: {failure.Message}");
                backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }
            finally
            {
                changing.Release();
            }
        }
    }

    async Task ReopenBroker(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(BrokerPause, stoppingToken);
            await changing.WaitAsync(stoppingToken);
            try
            {
                if (ticket is null)
                    return;
                await GiveBroker(link!, ticket, stoppingToken);
                return;
            }
            catch (IOException)
            {
                // Still not there; a proxy without its broker answers 503 where it needs a value.
            }
            finally
            {
                changing.Release();
            }
        }
    }

    async Task GiveBroker(ProxyLink to, string brokerTicket, CancellationToken cancellationToken)
    {
        using var connection = await BrokerGrant.Open(spec.BrokerSocket, brokerTicket, cancellationToken);
        await to.UseBroker(connection, cancellationToken);
    }

    static Socket Listen(KeeperFolders folders, string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(Backlog);
        folders.OpenToJail(path);
        return socket;
    }

    List<string> Privileges() => spec.ProxyUid is { } uid
        ? ["/usr/bin/setpriv", $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--no-new-privs", "--pdeathsig", "KILL", "--"]
        : ["/usr/bin/setpriv", "--no-new-privs", "--pdeathsig", "KILL", "--"];

    static Dictionary<string, string> ProxyEnvironment()
    {
        var environment = new Dictionary<string, string>(Children.SystemEnvironment)
        {
            ["DOTNET_EnableDiagnostics"] = "0",
            // A nursery of 16 MiB (hexadecimal): the default follows the processor's cache and doubles what a busy proxy holds.
            ["DOTNET_GCgen0size"] = "1000000",
            // The proxy's uid has no passwd entry, and certificate chains are not built without a home, even one that is not there.
            ["HOME"] = "/nonexistent",
        };
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root)
            environment["DOTNET_ROOT"] = root;
        return environment;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        if (link is not null)
        {
            await link.DisposeAsync();
            link.Process.Signal(Libc.SigKill);
            await link.Process.Exited;
        }

        listener.Dispose();
        databases.Dispose();
        authority.Dispose();
        audit.Dispose();
    }
}
