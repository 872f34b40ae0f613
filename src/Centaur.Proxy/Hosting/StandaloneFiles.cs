using System.Security.Cryptography;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Tls;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Hosting;

/// <summary>Opens the files that the configuration names and that are needed once.</summary>
static class StandaloneFiles
{
    /// <summary>Null where TLS is not looked into.</summary>
    public static CertificateAuthority? ReadAuthority(TlsConfig tls, TimeProvider time)
    {
        if (tls.SniOnly)
            return null;
        try
        {
            return CertificateAuthority.FromPem(ReadPem(tls.CertificateFile), ReadPem(tls.KeyFile), time, tls.LeafLifetime);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            // What the runtime says of a key may quote it.
            throw new UsageException(
                $"tls.ca_cert {tls.CertificateFile} and tls.ca_key {tls.KeyFile} are not a certificate authority and its key in PEM" + (fault is CryptographicException && fault.InnerException is null ? $": {fault.Message}" : ""));
        }
    }

    /// <summary>Standard output where no file is named.</summary>
    public static SafeFileHandle OpenAudit(string? path)
    {
        const int standardOutput = 1;
        try
        {
            return path is null
                ? new SafeFileHandle(standardOutput, ownsHandle: false)
                : File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"audit.file {path} cannot be written: {fault.Message}");
        }
    }

    static string ReadPem(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {fault.Message}");
        }
    }
}
