using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Policy;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A real <c>centaur-proxy sandbox</c>, started as a keeper starts it.</summary>
sealed class SandboxProxy : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-proxy-");
    readonly SafeFileHandle memfd = Kernel.MakeMemfd("test-ca");
    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly Socket databases = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly ConcurrentQueue<string> errors = new();
    Process process = null!;
    Socket control = null!;
    LineReader reader = null!;
    LineWriter writer = null!;
    long version;
    string? auditPath;
    IReadOnlyList<string> launcher = [];

    public string SocketPath => Path.Combine(folder.FullName, "proxy.sock");

    /// <summary>Where libpq finds the databases, as the host of a connection; the port is 5432.</summary>
    public string DatabaseFolder => folder.FullName;

    public string AuditPath => auditPath ?? Path.Combine(folder.FullName, "audit.ndjson");

    public string CaCertificate { get; private set; } = "";

    public Process Process => process;

    public string Errors => string.Join('\n', errors);

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<SandboxProxy> Start() => StartWithAudit(null);

    /// <summary>One without any network but a loopback of its own, that finds names in this file alone.</summary>
    public static Task<SandboxProxy> StartWithHosts(string hosts) =>
        StartWith(null, ["bwrap", "--dev-bind", "/", "/", "--bind", hosts, "/etc/hosts", "--unshare-net", "--die-with-parent", "--"]);

    public static Task<SandboxProxy> StartWithAudit(string? path) => StartWith(path, []);

    static async Task<SandboxProxy> StartWith(string? audit, IReadOnlyList<string> launcher)
    {
        var proxy = new SandboxProxy { auditPath = audit, launcher = launcher };
        proxy.listener.Bind(new UnixDomainSocketEndPoint(proxy.SocketPath));
        proxy.listener.Listen(512);
        proxy.databases.Bind(new UnixDomainSocketEndPoint(Path.Combine(proxy.DatabaseFolder, ".s.PGSQL.5432")));
        proxy.databases.Listen(512);
        await proxy.Launch();
        return proxy;
    }

    /// <summary>A proxy that enforces this policy already.</summary>
    public static async Task<SandboxProxy> Start(ProxyPolicy policy)
    {
        var proxy = await Start();
        await proxy.Enforce(policy);
        return proxy;
    }

    /// <summary>Kills the proxy and starts it again on the same listener, authority and audit file.</summary>
    public async Task Restart()
    {
        process.Kill();
        await process.WaitForExitAsync(Token);
        await Release();
        await Launch();
        version = 0;
    }

    public async Task<ProxyNotice> Offer(ProxyPolicy policy)
    {
        await writer.Write(new EnforcePolicy(policy), ProtocolJson.Default.ProxyCommand, Token);
        return await NextNotice();
    }

    /// <summary>Enforces a policy under the next version.</summary>
    public async Task Enforce(ProxyPolicy policy)
    {
        var notice = await Offer(policy with { Version = ++version });
        if (notice is not ProxyPolicyAcknowledged)
            throw new InvalidOperationException(notice.ToString());
    }

    public void HandOver(Socket brokerConnection) => DescriptorPassing.Send(control, "{\"type\":\"broker\"}\n"u8, brokerConnection.SafeHandle);

    public void Say(string line) => control.Send(Encoding.UTF8.GetBytes(line + "\n"));

    public void CloseControl() => control.Dispose();

    public async Task<ProxyNotice> NextNotice()
    {
        var line = await reader.Read(Token);
        return line.Kind == LineKind.Complete
            ? JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.ProxyNotice)!
            : throw new InvalidOperationException("The proxy ended: " + Errors);
    }

    /// <summary>A client of the jail: through the proxy, and trusting its authority alone.</summary>
    public HttpClient Client()
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(CaCertificate);
        var handler = new SocketsHttpHandler
        {
            UseProxy = true,
            Proxy = new WebProxy("http://proxy.invalid:3128"),
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellationToken) => new NetworkStream(await Connect(cancellationToken), ownsSocket: true),
        };
        handler.SslOptions.CertificateChainPolicy = trust;
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }

    public async Task<Socket> Connect(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
        return socket;
    }

    /// <summary>Every record of the audit file.</summary>
    public List<JsonElement> Audit() =>
        [.. File.ReadAllLines(AuditPath).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Waits for the record of this kind; an outcome is written after its answer has been read.</summary>
    public async Task<JsonElement> AuditRecord(string kind)
    {
        while (true)
        {
            var found = Audit().Where(record => record.GetProperty("kind").GetString() == kind).ToList();
            if (found.Count > 0)
                return found[^1];
            await Task.Delay(5, Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        await Release();
        listener.Dispose();
        databases.Dispose();
        memfd.Dispose();
        folder.Delete(recursive: true);
    }

    async Task Release()
    {
        await reader.DisposeAsync();
        writer.Dispose();
        control.Dispose();
        process.Dispose();
    }

    async Task Launch()
    {
        var (ours, theirs) = await Pair();
        using var audit = new SafeFileHandle(Kernel.OpenAppending(AuditPath), ownsHandle: true);
        using var keptListener = Kernel.Inheritable(listener.SafeHandle);
        using var keptControl = Kernel.Inheritable(theirs.SafeHandle);
        using var keptMemfd = Kernel.Inheritable(memfd);
        using var keptAudit = Kernel.Inheritable(audit);
        using var keptDatabases = Kernel.Inheritable(databases.SafeHandle);
        theirs.Dispose();
        process = ProxyProgram.Start(["sandbox", ProxyDescriptors.PostgresArgument], new Dictionary<int, int>
        {
            [ProxyDescriptors.Listener] = Number(keptListener),
            [ProxyDescriptors.Control] = Number(keptControl),
            [ProxyDescriptors.CertificateAuthority] = Number(keptMemfd),
            [ProxyDescriptors.Audit] = Number(keptAudit),
            [ProxyDescriptors.Postgres] = Number(keptDatabases),
        }, launcher: launcher);
        process.ErrorDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.OutputDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        control = ours;
        var stream = new NetworkStream(ours, ownsSocket: false);
        reader = new LineReader(stream, 1 << 20);
        writer = new LineWriter(stream);
        CaCertificate = ((ProxyReady)await NextNotice()).CaCertificate;
    }

    async Task<(Socket Ours, Socket Theirs)> Pair()
    {
        var path = Path.Combine(folder.FullName, "control-" + Guid.CreateVersion7().ToString("N")[^6..]);
        using var meeting = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        meeting.Bind(new UnixDomainSocketEndPoint(path));
        meeting.Listen(1);
        var ours = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await ours.ConnectAsync(new UnixDomainSocketEndPoint(path), Token);
        return (ours, await meeting.AcceptAsync(Token));
    }

    static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();
}
