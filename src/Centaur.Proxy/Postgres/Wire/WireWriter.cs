using System.Buffers.Binary;

namespace Centaur.Proxy.Postgres.Wire;

/// <summary>Writes messages through one buffer of fixed size; nothing leaves before it is full or <see cref="Flush"/> is called.</summary>
sealed class WireWriter(Stream stream)
{
    readonly byte[] buffer = new byte[32 * 1024];
    int used;

    public long Written { get; private set; }

    public async ValueTask Write(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Written += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (used == buffer.Length)
                await Flush(cancellationToken);
            var count = Math.Min(bytes.Length, buffer.Length - used);
            bytes.Span[..count].CopyTo(buffer.AsSpan(used));
            used += count;
            bytes = bytes[count..];
        }
    }

    public async ValueTask WriteHeader(WireHeader header, CancellationToken cancellationToken)
    {
        if (buffer.Length - used < 5)
            await Flush(cancellationToken);
        buffer[used] = header.Type;
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(used + 1), header.Length + 4);
        used += 5;
        Written += 5;
    }

    public async ValueTask Flush(CancellationToken cancellationToken)
    {
        if (used == 0)
            return;
        var count = used;
        used = 0;
        await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
    }
}
