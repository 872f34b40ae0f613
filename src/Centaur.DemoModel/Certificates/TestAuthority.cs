using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Centaur.DemoModel.Certificates;

/// <summary>
/// A certificate authority that signs one server certificate and is then forgotten: its key is never written, so that whoever trusts it trusts nothing else.
/// </summary>
internal static class TestAuthority
{
    static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    static readonly TimeSpan Renewal = TimeSpan.FromDays(30);

    /// <summary>Leaves ca.pem, cert.pem and key.pem in <paramref name="folder"/>, good for <paramref name="hosts"/> for another month at least.</summary>
    public static void Ensure(string folder, IReadOnlyList<string> hosts, TimeProvider clock)
    {
        var files = new CertificateFiles(folder);
        if (IsGood(files, hosts, clock.GetUtcNow()))
            return;
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var from = clock.GetUtcNow().AddHours(-1);
        var until = from + Lifetime;

        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Centaur demo model CA", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        authority.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authority.PublicKey, critical: false));
        using var authorityCertificate = authority.CreateSelfSigned(from, until);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var server = ServerRequest(serverKey, hosts, authorityCertificate)
            .Create(authorityCertificate, from, until, RandomNumberGenerator.GetBytes(16));
        Write(files.Key, serverKey.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write(files.Certificate, server.ExportCertificatePem(), PublicFile);
        Write(files.Authority, authorityCertificate.ExportCertificatePem(), PublicFile);
    }

    const UnixFileMode PublicFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    static CertificateRequest ServerRequest(ECDsa key, IReadOnlyList<string> hosts, X509Certificate2 authority)
    {
        var request = new CertificateRequest("CN=Centaur demo model", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (System.Net.IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        return request;
    }

    static bool IsGood(CertificateFiles files, IReadOnlyList<string> hosts, DateTimeOffset now)
    {
        if (!File.Exists(files.Authority) || !File.Exists(files.Certificate) || !File.Exists(files.Key))
            return false;
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
            return certificate.NotAfter.ToUniversalTime() > (now + Renewal).UtcDateTime && hosts.All(host => certificate.MatchesHostname(host));
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Born with its mode, and in place only when it is whole.</summary>
    static void Write(string path, string content, UnixFileMode mode)
    {
        var draft = path + ".new";
        File.Delete(draft);
        using (var stream = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        using (var writer = new StreamWriter(stream))
            writer.WriteLine(content);
        File.Move(draft, path, overwrite: true);
    }
}
