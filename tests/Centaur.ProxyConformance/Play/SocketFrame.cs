using System.Buffers.Binary;
using System.Text;

namespace Centaur.ProxyConformance.Play;

/// <summary>Frames of RFC 6455, section 5.2, of texts shorter than 64 kB.</summary>
static class SocketFrame
{
    static readonly byte[] Mask = [0x1f, 0x2e, 0x3d, 0x4c];

    public static byte[] Masked(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        byte[] length = bytes.Length < 126 ? [(byte)(0x80 | bytes.Length)] : [0xfe, (byte)(bytes.Length >> 8), (byte)bytes.Length];
        return [0x81, .. length, .. Mask, .. bytes.Select((value, index) => (byte)(value ^ Mask[index % 4]))];
    }

    /// <summary>One message, whatever its frames.</summary>
    public static async Task<string> Read(Wire wire, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        while (true)
        {
            var head = await wire.ReadExactly(2, cancellationToken);
            var length = head[1] & 0x7f;
            if (length == 126)
                length = BinaryPrimitives.ReadUInt16BigEndian(await wire.ReadExactly(2, cancellationToken));
            text.Append(Encoding.UTF8.GetString(await wire.ReadExactly(length, cancellationToken)));
            if ((head[0] & 0x80) != 0)
                return text.ToString();
        }
    }
}
