using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Centaur.Proxy.Postgres.Wire;

/// <summary>Builds one message of ours.</summary>
sealed class WireMessage
{
    readonly ArrayBufferWriter<byte> bytes = new(128);
    readonly int lengthAt;

    /// <param name="type">The letter of the message; null for those that open a connection and have none.</param>
    public WireMessage(char? type)
    {
        if (type is { } letter)
            bytes.Write([(byte)letter]);
        lengthAt = bytes.WrittenCount;
        bytes.Write("\0\0\0\0"u8);
    }

    public WireMessage Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes.GetSpan(4), value);
        bytes.Advance(4);
        return this;
    }

    public WireMessage Raw(ReadOnlySpan<byte> value)
    {
        bytes.Write(value);
        return this;
    }

    /// <summary>A text and the zero byte that ends it.</summary>
    public WireMessage Text(string value) => Raw(Encoding.UTF8.GetBytes(value)).Raw("\0"u8);

    public byte[] Build()
    {
        var built = bytes.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(built.AsSpan(lengthAt), built.Length - lengthAt);
        return built;
    }

    public static byte[] Query(string sql) => new WireMessage('Q').Text(sql).Build();

    /// <summary>An ErrorResponse in the shape that Postgres gives it.</summary>
    /// <param name="severity">ERROR, or FATAL where the connection ends with it.</param>
    /// <param name="sqlState">Five characters; see <see cref="SqlStates"/>.</param>
    /// <param name="message">What happened.</param>
    /// <param name="hint">What to do about it, or null.</param>
    public static byte[] Error(string severity, string sqlState, string message, string? hint)
    {
        var error = new WireMessage('E').Raw("S"u8).Text(severity).Raw("V"u8).Text(severity).Raw("C"u8).Text(sqlState).Raw("M"u8).Text("centaur-proxy: " + message);
        if (hint is not null)
            error.Raw("H"u8).Text(hint);
        return error.Raw("\0"u8).Build();
    }
}
