using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Centaur.Proxy.Scanning;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// The client's body on its way up: streamed as it arrives, flushed before every wait, searched for placeholders as it passes. Of any size; never kept.
/// </summary>
/// <param name="source">Kestrel's reader.</param>
/// <param name="length">The declared length; null for chunked.</param>
/// <param name="search">Placeholders and what they become; null where none are granted.</param>
sealed class RequestBody(PipeReader source, long? length, ScanModel? search) : HttpContent
{
    /// <summary>Told when all of it is on its way.</summary>
    public Action? Sent { get; set; }

    public long BytesSent { get; private set; }

    public long PlaceholdersSeen { get; private set; }

    /// <summary>True where the client's side failed, so that the blame does not fall on the upstream.</summary>
    public bool SourceFailed { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var replacer = search is null ? null : new StreamReplacer(search);
        var changed = replacer is null ? null : new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            var result = await Read(stream, cancellationToken);
            try
            {
                foreach (var segment in result.Buffer)
                    await Write(stream, segment, replacer, changed, cancellationToken);
            }
            finally
            {
                // Where nobody takes the bytes, the server must still be able to read the rest, or it could not answer.
                source.AdvanceTo(result.Buffer.End);
            }

            if (result.IsCompleted)
                break;
        }

        if (replacer is not null)
        {
            replacer.Push([], last: true, changed!);
            await Send(stream, changed!.WrittenMemory, cancellationToken);
            PlaceholdersSeen = replacer.Replaced;
        }

        Sent?.Invoke();
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }

    /// <summary>What was written so far, the head too, goes out before the wait for more: the client may wait for an answer to it.</summary>
    async ValueTask<ReadResult> Read(Stream stream, CancellationToken cancellationToken)
    {
        if (source.TryRead(out var there))
            return there;
        await stream.FlushAsync(cancellationToken);
        try
        {
            return await source.ReadAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is not (OperationCanceledException or Microsoft.AspNetCore.Http.BadHttpRequestException))
        {
            SourceFailed = true;
            throw;
        }
    }

    async ValueTask Write(Stream stream, ReadOnlyMemory<byte> segment, StreamReplacer? replacer, ArrayBufferWriter<byte>? changed, CancellationToken cancellationToken)
    {
        if (replacer is null)
        {
            await Send(stream, segment, cancellationToken);
            return;
        }

        changed!.ResetWrittenCount();
        replacer.Push(segment.Span, last: false, changed);
        await Send(stream, changed.WrittenMemory, cancellationToken);
        changed.ResetWrittenCount();
    }

    async ValueTask Send(Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty)
            return;
        await stream.WriteAsync(bytes, cancellationToken);
        BytesSent += bytes.Length;
    }
}
