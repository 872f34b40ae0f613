using System.Text;

namespace Centaur.Proxy.Forwarding;

/// <summary>The one encoded form that is looked into: <c>Authorization: Basic</c>.</summary>
static class BasicCredentials
{
    const string Scheme = "Basic ";

    /// <summary>The decoded <c>user:password</c>, one character a byte; null where the header is of another kind.</summary>
    public static string? TryDecode(string headerName, string value)
    {
        if (!value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !headerName.Equals("Authorization", StringComparison.OrdinalIgnoreCase))
            return null;
        var encoded = value.AsSpan(Scheme.Length).Trim();
        var bytes = new byte[encoded.Length];
        return Convert.TryFromBase64Chars(encoded, bytes, out var length) ? Encoding.Latin1.GetString(bytes, 0, length) : null;
    }

    public static string Encode(string credentials) => Scheme + Convert.ToBase64String(Encoding.Latin1.GetBytes(credentials));
}
