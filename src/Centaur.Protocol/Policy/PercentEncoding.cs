using System.Text;

namespace Centaur.Protocol.Policy;

/// <summary>Percent-encoding of RFC 3986: everything but the unreserved characters.</summary>
public static class PercentEncoding
{
    public static string Encode(ReadOnlySpan<byte> bytes, bool upperCase)
    {
        var text = new StringBuilder(bytes.Length * 3);
        foreach (var octet in bytes)
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~')
                text.Append((char)octet);
            else
                text.Append('%').Append(octet.ToString(upperCase ? "X2" : "x2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>Decodes what can be decoded and leaves the rest as it is.</summary>
    public static string DecodeOnce(string text)
    {
        if (!text.Contains('%'))
            return text;
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                decoded.Append((char)Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                decoded.Append(text[i]);
            }
        }

        return decoded.ToString();
    }
}
