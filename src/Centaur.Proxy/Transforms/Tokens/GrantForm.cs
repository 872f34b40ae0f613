using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>The body of a request to a token endpoint: <c>application/x-www-form-urlencoded</c> (RFC 6749, appendix B).</summary>
sealed class GrantForm(string grantType)
{
    readonly StringBuilder text = new("grant_type=" + PercentEncoding.Encode(Encoding.UTF8.GetBytes(grantType), upperCase: true));

    public GrantForm Add(string name, Secret? value) => value is null ? this : Add(name, value.Bytes);

    public GrantForm Add(string name, string value) => value.Length == 0 ? this : Add(name, Encoding.UTF8.GetBytes(value));

    public byte[] ToBytes() => Encoding.ASCII.GetBytes(text.ToString());

    GrantForm Add(string name, ReadOnlySpan<byte> value)
    {
        text.Append('&').Append(name).Append('=').Append(PercentEncoding.Encode(value, upperCase: true));
        return this;
    }
}
