namespace Centaur.Proxy.Postgres.Authentication;

/// <summary>The attributes of a SCRAM message, in order: <c>r=…,s=…,i=…</c> (RFC 5802, section 5.1).</summary>
static class ScramMessage
{
    /// <summary>The values of exactly these attributes in this order, further ones ignored; null where the message is another.</summary>
    public static string[]? Read(string message, string names)
    {
        var parts = message.Split(',');
        if (parts.Length < names.Length)
            return null;
        var values = new string[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            if (parts[i].Length < 2 || parts[i][0] != names[i] || parts[i][1] != '=')
                return null;
            values[i] = parts[i][2..];
        }

        return values;
    }

    public static byte[]? Base64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : null;
    }
}
