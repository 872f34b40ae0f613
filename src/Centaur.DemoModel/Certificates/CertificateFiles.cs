namespace Centaur.DemoModel.Certificates;

/// <summary>The names that <see cref="TestAuthority"/> writes.</summary>
internal sealed record CertificateFiles(string Folder)
{
    public string Authority => Path.Combine(Folder, "ca.pem");

    public string Certificate => Path.Combine(Folder, "cert.pem");

    public string Key => Path.Combine(Folder, "key.pem");
}
