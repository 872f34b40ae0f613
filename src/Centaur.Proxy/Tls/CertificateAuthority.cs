using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Centaur.Proxy.Linux;
using Centaur.Proxy.Policies;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Tls;

/// <summary>Signs the leaves that clients behind this proxy see. One per sandbox, so that no sandbox's leaves mean anything to another.</summary>
sealed class CertificateAuthority : IDisposable
{
    static readonly TimeSpan CaLifetime = TimeSpan.FromDays(5 * 365);
    static readonly TimeSpan UsualLeafLifetime = TimeSpan.FromDays(7);
    static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);
    static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    readonly X509Certificate2 certificate;
    readonly X509SignatureGenerator signer;
    readonly AsymmetricAlgorithm key;
    readonly TimeProvider time;
    readonly TimeSpan leafLifetime;

    // One key for every leaf of this process: making one costs more than signing, and all of them live and die together.
    readonly ECDsa leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    CertificateAuthority(X509Certificate2 certificate, TimeProvider time, TimeSpan leafLifetime)
    {
        this.certificate = certificate;
        this.time = time;
        this.leafLifetime = leafLifetime;
        if (certificate.GetECDsaPrivateKey() is { } ecdsa)
        {
            key = ecdsa;
            signer = X509SignatureGenerator.CreateForECDsa(ecdsa);
        }
        else
        {
            var rsa = certificate.GetRSAPrivateKey() ?? throw new CryptographicException("The CA's key is neither ECDSA nor RSA.");
            key = rsa;
            signer = X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1);
        }
    }

    public string CertificatePem => certificate.ExportCertificatePem();

    /// <summary>Reads the authority from a sealed memfd; an empty one gets a new authority and its seals.</summary>
    public static CertificateAuthority FromMemfd(SafeFileHandle memfd, TimeProvider time)
    {
        var length = (int)RandomAccess.GetLength(memfd);
        if (length > 0)
        {
            var pem = new byte[length];
            RandomAccess.Read(memfd, pem, 0);
            var text = Encoding.ASCII.GetString(pem);
            var authority = FromPem(text, text, time);
            CryptographicOperations.ZeroMemory(pem);
            return authority;
        }

        using var newKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var created = Create(newKey, time);
        var kept = Encoding.ASCII.GetBytes(created.ExportCertificatePem() + "\n" + newKey.ExportPkcs8PrivateKeyPem() + "\n");
        RandomAccess.Write(memfd, kept, 0);
        Libc.Seal(memfd);
        var made = FromPem(created.ExportCertificatePem(), newKey.ExportPkcs8PrivateKeyPem(), time);
        CryptographicOperations.ZeroMemory(kept);
        return made;
    }

    /// <param name="certificatePem">The certificate; what else stands there is not looked at.</param>
    /// <param name="keyPem">Its key.</param>
    /// <param name="time">Dates the leaves.</param>
    /// <param name="leafLifetime">How long a leaf is good; a week where it is not said.</param>
    public static CertificateAuthority FromPem(string certificatePem, string keyPem, TimeProvider time, TimeSpan? leafLifetime = null)
    {
        var loaded = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        if (loaded.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is not { CertificateAuthority: true })
            throw new CryptographicException("The certificate is not a certificate authority's.");
        if (loaded.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
            throw new CryptographicException("The certificate's key usage does not let it sign others.");
        return new CertificateAuthority(loaded, time, leafLifetime ?? UsualLeafLifetime);
    }

    /// <summary>A leaf for exactly this host.</summary>
    public Leaf Issue(Authority authority)
    {
        var now = time.GetUtcNow();
        var request = new CertificateRequest(new X500DistinguishedName($"CN={Shorten(authority.Host)}"), leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (authority.IsAddress)
            names.AddIpAddress(System.Net.IPAddress.Parse(authority.Host));
        else
            names.AddDnsName(authority.Host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication], false));
        if (certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any())
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));

        var notAfter = Earlier(now + leafLifetime, new DateTimeOffset(certificate.NotAfter));
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] &= 0x7f;
        using var signed = request.Create(certificate.SubjectName, signer, Later(now - ClockSkew, new DateTimeOffset(certificate.NotBefore)), notAfter, serial);
        var leaf = signed.CopyWithPrivateKey(leafKey);
        var context = SslStreamCertificateContext.Create(leaf, [certificate], offline: true);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = context,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            ClientCertificateRequired = false,
        };
        return new Leaf(options, now + (notAfter - now) * 2 / 3);
    }

    public void Dispose()
    {
        key.Dispose();
        leafKey.Dispose();
        certificate.Dispose();
    }

    static X509Certificate2 Create(ECDsa key, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var request = new CertificateRequest("CN=Centaur sandbox CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(now - ClockSkew, now + CaLifetime);
    }

    // A common name has at most 64 characters; clients look at the alternative name only.
    static string Shorten(string host) => host.Length <= 64 ? host : host[^64..].TrimStart('.', '-');

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}

/// <param name="Options">What the handshake needs; it carries the context that makes sessions resumable.</param>
/// <param name="RenewAfter">From here on a new leaf is made.</param>
sealed record Leaf(SslServerAuthenticationOptions Options, DateTimeOffset RenewAfter);
