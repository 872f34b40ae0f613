using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>TLS towards an upstream, as <c>sslmode</c> says.</summary>
static class BackendTls
{
    /// <summary>What the mode is where none was written: full verification, except to this machine itself and where the operator's map says plain text.</summary>
    public static SslMode Effective(Dsn dsn, UpstreamMap? map) => dsn.SslMode switch
    {
        SslMode.Unset => map is { Plaintext: true } || dsn.Address.Host is "localhost" or "127.0.0.1" or "::1" ? SslMode.Disable : SslMode.VerifyFull,
        var written => written,
    };

    /// <summary>Asks for TLS and begins it. The answer is read as one byte, so that nothing sent in clear behind it counts as encrypted (CVE-2021-23222).</summary>
    public static async Task<SslStream> Begin(NetworkStream stream, Dsn dsn, SslMode mode, UpstreamMap? map, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(new WireMessage(null).Int32(StartupPacket.SslRequest).Build(), cancellationToken);
        var answer = new byte[1];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        if (answer[0] != 'S')
            throw new PostgresFault(SqlStates.ConnectionFailure, "The upstream speaks no TLS.", "tls_error") { Hint = "The operator can enable ssl on the server." };
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        var authority = dsn.RootCertificate is { } file ? await File.ReadAllTextAsync(file, cancellationToken) : map?.CaCertificate;
        if (authority is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.ImportFromPem(authority);
        }

        var tolerated = mode switch
        {
            SslMode.VerifyFull => SslPolicyErrors.None,
            // With an authority at hand libpq checks the chain in this mode too.
            SslMode.Require when authority is null => SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch,
            _ => SslPolicyErrors.RemoteCertificateNameMismatch,
        };
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = dsn.Address.Host,
                    CertificateChainPolicy = policy,
                    RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is not null && (errors & ~tolerated) == SslPolicyErrors.None,
                },
                cancellationToken);
            return tls;
        }
        catch (AuthenticationException fault)
        {
            await tls.DisposeAsync();
            throw new PostgresFault(SqlStates.ConnectionFailure, "The certificate of the upstream is not trusted, or does not name it.", "tls_error", fault)
            {
                Hint = "The operator can name its authority (sslrootcert in the DSN, or ca_cert in the map).",
            };
        }
    }

    /// <summary>The hash that SCRAM-SHA-256-PLUS binds to (RFC 5929, section 4.1), or null where the certificate is signed by an algorithm that names no hash.</summary>
    public static byte[]? EndPointHash(SslStream tls)
    {
        if (tls.RemoteCertificate is not { } certificate)
            return null;
        using var leaf = new X509Certificate2(certificate);
        HashAlgorithmName? hash = leaf.SignatureAlgorithm.Value switch
        {
            // md5 and sha1 are replaced by sha256, as the RFC says; then sha256, sha384, sha512 with RSA and with ECDSA.
            "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => null,
        };
        return hash is { } known ? leaf.GetCertHash(known) : null;
    }
}
