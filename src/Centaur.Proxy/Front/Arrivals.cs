using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>Reads what a client sends first, for as long as a head may take.</summary>
static class Arrivals
{
    public const int TlsHandshake = 0x16;

    /// <summary>Waits until the first bytes tell whether they are these, and consumes none.</summary>
    public static async Task<bool> BeginsWith(this ConnectionContext connection, ReadOnlyMemory<byte> expected, TimeSpan longest)
    {
        using var patience = Patience(connection, longest);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(patience.Token);
            var seen = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, expected.Length));
            var begins = expected.Span.StartsWith(seen.ToArray());
            if (!begins || seen.Length == expected.Length || result.IsCompleted)
            {
                input.AdvanceTo(result.Buffer.Start);
                return begins && seen.Length == expected.Length;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>The first byte, which stays to be read; -1 where none comes.</summary>
    public static async Task<int> PeekFirstByte(this ConnectionContext connection, TimeSpan longest)
    {
        using var patience = Patience(connection, longest);
        var result = await connection.Transport.Input.ReadAsync(patience.Token);
        var first = result.Buffer.IsEmpty ? -1 : result.Buffer.FirstSpan[0];
        connection.Transport.Input.AdvanceTo(result.Buffer.Start);
        return first;
    }

    /// <summary>So many bytes and not one more; null where the client leaves before.</summary>
    public static async Task<byte[]?> ReadExactly(this ConnectionContext connection, int count, CancellationToken cancellationToken)
    {
        if (count == 0)
            return [];
        var input = connection.Transport.Input;
        var result = await input.ReadAtLeastAsync(count, cancellationToken);
        if (result.Buffer.Length < count)
        {
            input.AdvanceTo(result.Buffer.End);
            return null;
        }

        var bytes = result.Buffer.Slice(0, count).ToArray();
        input.AdvanceTo(result.Buffer.GetPosition(count));
        return bytes;
    }

    public static CancellationTokenSource Patience(ConnectionContext connection, TimeSpan longest)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(longest);
        return patience;
    }
}
