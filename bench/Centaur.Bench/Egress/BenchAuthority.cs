using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Centaur.Bench.Egress;

/// <summary>The certificate authority of a bench's origins, or of a proxy.</summary>
internal sealed class BenchAuthority : IDisposable
{
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly X509Certificate2 certificate;

    public BenchAuthority()
    {
        var request = new CertificateRequest("CN=Bench CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(2));
    }

    public string Pem => certificate.ExportCertificatePem() + "\n";

    public string PemWithKey => Pem + key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <returns>A certificate for this name, followed by its key.</returns>
    public string Issue(string host)
    {
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + host, leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var leaf = request.Create(certificate, new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter), RandomNumberGenerator.GetBytes(8));
        return leaf.ExportCertificatePem() + "\n" + leafKey.ExportPkcs8PrivateKeyPem() + "\n";
    }

    public void Dispose()
    {
        certificate.Dispose();
        key.Dispose();
    }
}
