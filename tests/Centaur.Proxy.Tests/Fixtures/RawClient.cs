using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A client that sends exactly the bytes it is told to.</summary>
sealed class RawClient : IAsyncDisposable
{
    readonly Socket socket;
    Stream stream;

    readonly string trusted;

    RawClient(Socket socket, string trusted)
    {
        this.socket = socket;
        this.trusted = trusted;
        stream = new NetworkStream(socket, ownsSocket: true);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="proxy">Where to.</param>
    /// <param name="trusted">PEM of the authority that the handshake must end at; the proxy's own where it is not said.</param>
    public static async Task<RawClient> Connect(SandboxProxy proxy, string? trusted = null) => new(await proxy.Connect(Token), trusted ?? proxy.CaCertificate);

    /// <param name="socket">A connection to a proxy; the client owns it from now on.</param>
    /// <param name="trusted">PEM of the authority that the handshake must end at.</param>
    public static RawClient Over(Socket socket, string trusted) => new(socket, trusted);

    /// <summary>A tunnel that is open, with TLS inside.</summary>
    public static async Task<RawClient> Tunnel(SandboxProxy proxy, string host = Origin.Host, int port = 443, string? trusted = null, SslApplicationProtocol? protocol = null)
    {
        var client = await Connect(proxy, trusted);
        await client.Send($"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
        var head = await client.ReadHead();
        if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            throw new InvalidOperationException(head);
        await client.StartTls(host, protocol);
        return client;
    }

    /// <returns>What the other side showed.</returns>
    public async Task<X509Certificate2> StartTls(string serverName, SslApplicationProtocol? protocol = null)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(trusted);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = serverName, CertificateChainPolicy = trust, ApplicationProtocols = protocol is { } spoken ? [spoken] : null }, Token);
        stream = tls;
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
    }

    public async Task Send(string text)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), Token);
        await stream.FlushAsync(Token);
    }

    public Task Send(byte[] bytes) => stream.WriteAsync(bytes, Token).AsTask();

    /// <summary>Bytes up to and with the first empty line.</summary>
    public async Task<string> ReadHead()
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, Token) == 0)
                break;
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    public async Task<string> ReadSome(int bytes)
    {
        var buffer = new byte[bytes];
        await stream.ReadExactlyAsync(buffer, Token);
        return Encoding.Latin1.GetString(buffer);
    }

    /// <summary>Everything until the other side closes, orderly or not.</summary>
    public async Task<string> ReadToEnd()
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, Token)) > 0)
                all.Write(buffer, 0, read);
        }
        catch (IOException)
        {
            // Cut off.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
