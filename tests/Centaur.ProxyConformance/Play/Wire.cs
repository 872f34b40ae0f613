using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Centaur.ProxyConformance.Play;

/// <summary>A connection to the proxy that sends exactly the bytes it is told to.</summary>
sealed class Wire : IAsyncDisposable
{
    readonly Socket socket;
    Stream stream;

    Wire(Socket socket) => (this.socket, stream) = (socket, new NetworkStream(socket, ownsSocket: true));

    /// <summary>Names in the certificate that was shown.</summary>
    public IReadOnlyList<string> Certificate { get; private set; } = [];

    public static async Task<Wire> Connect(int port, CancellationToken cancellationToken)
    {
        var dialled = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await dialled.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return new Wire(dialled);
        }
        catch
        {
            dialled.Dispose();
            throw;
        }
    }

    public static X509ChainPolicy Trust(string pem)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(pem);
        return trust;
    }

    /// <exception cref="IOException">The other side ended the handshake.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The certificate is not trusted, or names another host.</exception>
    public async Task Secure(string serverName, string trusted, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        stream = tls;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = serverName, CertificateChainPolicy = Trust(trusted) }, cancellationToken);
        using var shown = new X509Certificate2(tls.RemoteCertificate!);
        var names = shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        Certificate = names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(address => address.ToString())];
    }

    public Task Send(string text, CancellationToken cancellationToken) => Send(Encoding.Latin1.GetBytes(text), cancellationToken);

    public async Task Send(byte[] bytes, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(bytes, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    /// <summary>Bytes up to and with the first empty line, or what came before the end.</summary>
    public async Task<string> ReadHead(CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await Read(one, cancellationToken) > 0)
            text.Append((char)one[0]);
        return text.ToString();
    }

    public async Task<byte[]> ReadExactly(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    /// <summary>Everything until the other side closes, in order or not.</summary>
    public async Task<string> ReadToEnd(CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var buffer = new byte[32 * 1024];
        int read;
        while ((read = await Read(buffer, cancellationToken)) > 0)
            all.Write(buffer, 0, read);
        return Encoding.Latin1.GetString(all.ToArray());
    }

    /// <summary>Says that no more comes.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    async Task<int> Read(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
