using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Centaur.Proxy.Postgres.Authentication;

/// <summary>The answer to AuthenticationMD5Password: "md5" and md5(md5(password, user), salt) in hexadecimal (PostgreSQL documentation, "Message Flow").</summary>
static class Md5Password
{
    [SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "The protocol says so; it is answered on TLS or loopback only.")]
    public static string Answer(ReadOnlySpan<byte> password, string user, ReadOnlySpan<byte> salt)
    {
        var inner = Convert.ToHexStringLower(MD5.HashData([.. password, .. Encoding.UTF8.GetBytes(user)]));
        return "md5" + Convert.ToHexStringLower(MD5.HashData([.. Encoding.ASCII.GetBytes(inner), .. salt]));
    }
}
