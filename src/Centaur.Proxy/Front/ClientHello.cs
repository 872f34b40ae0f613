using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

enum HelloState
{
    /// <summary>More bytes are needed.</summary>
    Partial,
    Whole,

    /// <summary>Never a ClientHello with one meaning.</summary>
    Broken,
}

/// <summary>The first message of a TLS client (RFC 8446, section 4.1.2), as far as it names a server.</summary>
/// <param name="State">How much of it there is.</param>
/// <param name="Name">The server's name, or empty where none is asked for.</param>
readonly record struct ClientHello(HelloState State, string Name)
{
    const int Longest = 16 * 1024;
    const int RecordHead = 5;
    const int MessageHead = 4;
    const byte HandshakeRecord = 22;
    const byte HelloMessage = 1;
    const int ServerNameExtension = 0;
    const byte HostNameKind = 0;

    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    static ClientHello Broken { get; } = new(HelloState.Broken, "");

    static ClientHello Partial { get; } = new(HelloState.Partial, "");

    /// <summary>Waits for the whole message and consumes nothing.</summary>
    public static async Task<ClientHello> Peek(ConnectionContext connection)
    {
        using var patience = Arrivals.Patience(connection, LongestWait);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(patience.Token);
            var hello = Read(result.Buffer.Slice(0, Math.Min(result.Buffer.Length, Longest)).ToArray());
            var ends = hello.State != HelloState.Partial || result.IsCompleted || result.Buffer.Length >= Longest;
            if (ends)
            {
                input.AdvanceTo(result.Buffer.Start);
                return hello.State == HelloState.Partial ? Broken : hello;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>Puts the message together out of its records.</summary>
    public static ClientHello Read(ReadOnlySpan<byte> bytes)
    {
        var message = new ArrayBufferWriter<byte>(bytes.Length + 1);
        while (!bytes.IsEmpty)
        {
            if (bytes[0] != HandshakeRecord || (bytes.Length > 1 && bytes[1] != 3))
                return Broken;
            if (bytes.Length < RecordHead)
                return Partial;
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
            if (length is 0 or > Longest)
                return Broken;
            message.Write(bytes[RecordHead..Math.Min(bytes.Length, RecordHead + length)]);
            if (message.WrittenCount >= MessageHead)
            {
                var head = message.WrittenSpan;
                var size = head[1] << 16 | BinaryPrimitives.ReadUInt16BigEndian(head[2..]);
                if (head[0] != HelloMessage || size > Longest)
                    return Broken;
                if (message.WrittenCount >= MessageHead + size)
                    return ReadMessage(head.Slice(MessageHead, size));
            }

            if (bytes.Length < RecordHead + length)
                return Partial;
            bytes = bytes[(RecordHead + length)..];
        }

        return Partial;
    }

    static ClientHello ReadMessage(ReadOnlySpan<byte> message)
    {
        const int versionAndRandom = 2 + 32;
        if (message.Length < versionAndRandom)
            return Broken;
        var rest = message[versionAndRandom..];
        if (!TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out _) || !TryTake(ref rest, 1, out _))
            return Broken;
        if (rest.IsEmpty)
            return new ClientHello(HelloState.Whole, "");
        if (!TryTake(ref rest, 2, out var extensions) || !rest.IsEmpty)
            return Broken;
        string? name = null;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 2)
                return Broken;
            var kind = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var content))
                return Broken;
            if (kind != ServerNameExtension)
                continue;
            // Named twice, two readers could choose differently.
            if (name is not null || !TryReadName(content, out name))
                return Broken;
        }

        return new ClientHello(HelloState.Whole, name ?? "");
    }

    static bool TryReadName(ReadOnlySpan<byte> content, out string name)
    {
        name = "";
        if (!TryTake(ref content, 2, out var list) || !content.IsEmpty || list.IsEmpty || list[0] != HostNameKind)
            return false;
        list = list[1..];
        if (!TryTake(ref list, 2, out var text) || !list.IsEmpty || text.IsEmpty || !Ascii.IsValid(text))
            return false;
        name = Encoding.ASCII.GetString(text);
        return true;
    }

    /// <summary>Takes a part with its length before it.</summary>
    static bool TryTake(ref ReadOnlySpan<byte> from, int lengthBytes, out ReadOnlySpan<byte> part)
    {
        part = default;
        if (from.Length < lengthBytes)
            return false;
        var length = lengthBytes == 1 ? from[0] : BinaryPrimitives.ReadUInt16BigEndian(from);
        if (from.Length < lengthBytes + length)
            return false;
        part = from.Slice(lengthBytes, length);
        from = from[(lengthBytes + length)..];
        return true;
    }
}
