using System.Text;
using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Secrets;

/// <summary>A value in memory. It does not print, serialise or compare; whoever needs it asks for the form that he needs.</summary>
sealed class Secret(string name, byte[] value)
{
    string? header;

    public string Name { get; } = name;

    public ReadOnlySpan<byte> Bytes => value;

    /// <summary>One character a byte, so that the bytes go out as they are.</summary>
    public string ForHeader() => header ??= Encoding.Latin1.GetString(value);

    public string ForAddress() => PercentEncoding.Encode(value, upperCase: true);

    public bool FitsHeader => !value.AsSpan().ContainsAnyInRange((byte)0, (byte)31) && !value.AsSpan().Contains((byte)127) && value.Length > 0;

    public override string ToString() => $"Secret({Name})";
}
