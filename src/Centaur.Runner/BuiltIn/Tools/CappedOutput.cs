using System.Globalization;
using System.Text;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Keeps the beginning and the end of an output: where it began and how it ended say most.</summary>
internal sealed class CappedOutput
{
    const int HeadBytes = 24 * 1024;
    const int TailBytes = 24 * 1024;

    readonly byte[] head = new byte[HeadBytes];
    readonly byte[] tail = new byte[TailBytes];
    int inHead;
    long beyondHead;

    /// <summary>Reads to the end, or until <paramref name="cancellationToken"/>, which is no failure here.</summary>
    public async Task Read(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int length;
            while ((length = await stream.ReadAsync(buffer, cancellationToken)) > 0)
                Take(buffer.AsSpan(0, length));
        }
        catch (OperationCanceledException)
        {
            // Somebody else holds the pipe; what came is all that is wanted.
        }
    }

    public override string ToString()
    {
        var kept = (int)Math.Min(beyondHead, TailBytes);
        var text = new StringBuilder(Encoding.UTF8.GetString(head, 0, inHead));
        if (beyondHead > TailBytes)
            text.Append(CultureInfo.InvariantCulture, $"\n[… {beyondHead - TailBytes} bytes left out …]\n");
        var bytes = new byte[kept];
        for (var i = 0; i < kept; i++)
            bytes[i] = tail[(int)((beyondHead - kept + i) % TailBytes)];
        // A NUL would be refused on the way to the database.
        return text.Append(Encoding.UTF8.GetString(bytes)).Replace('\0', '\uFFFD').ToString();
    }

    void Take(ReadOnlySpan<byte> bytes)
    {
        var first = Math.Min(bytes.Length, HeadBytes - inHead);
        bytes[..first].CopyTo(head.AsSpan(inHead));
        inHead += first;
        foreach (var value in bytes[first..])
            tail[(int)(beyondHead++ % TailBytes)] = value;
    }
}
