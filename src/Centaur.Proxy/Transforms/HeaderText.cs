namespace Centaur.Proxy.Transforms;

/// <summary>What may stand in a header (RFC 9110, section 5.5), one character a byte.</summary>
static class HeaderText
{
    public static bool Fits(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.Contains('\x7f') && text.AsSpan().Trim().Length == text.Length;
}
