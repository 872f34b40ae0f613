using System.Buffers;
using System.IO.Pipelines;
using Centaur.Proxy.Front;
using Centaur.Proxy.Metering;
using Centaur.Proxy.Scanning;
using Centaur.Proxy.Unpacking;
using Centaur.Proxy.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// The upstream's answer on its way down. Nothing that has come waits for what has not, and what this proxy knows to be a secret becomes its placeholder before
/// it is written.
/// <para>1. What is there already is collected, up to a bound, until the answer ends or a read would wait.</para>
/// <para>2. It is searched and written. An answer that was there as a whole goes out with its length, in one piece; any other is chunked, or has the length
/// that the upstream said where nothing is searched.</para>
/// <para>3. It is flushed (the head at least) before the wait for more.</para>
/// </summary>
/// <param name="search">What is searched for at this moment; null for nothing.</param>
/// <param name="mayHold">Whether there may be something to search for before the answer ends.</param>
/// <param name="holdsSecrets">Whether secrets are sent to this host, so that answers that cannot be searched are not passed on.</param>
/// <param name="isMetered">Whether a model answers.</param>
/// <param name="largest">The largest body that is passed on; null for any.</param>
sealed class ResponseRelay(Func<ScanModel?> search, bool mayHold, bool holdsSecrets, bool isMetered, long? largest)
{
    const int BufferSize = 64 * 1024;
    const int LargestRecord = 16 * 1024;

    // What unpacks to more than this multiple of what came is no honest answer.
    const int MaxExpansion = 1000;
    const long ExpansionGrace = 32 << 20;

    long scrubbed;

    public long BytesReceived { get; private set; }

    public long Scrubbed => scrubbed;

    /// <summary>What a model's answer said that it cost; null where none answered.</summary>
    public ModelUsage? Usage { get; private set; }

    /// <exception cref="UpstreamFault">The answer says that it is larger than what is passed on.</exception>
    public void Admit(HttpResponseMessage message)
    {
        if (message.Content.Headers.ContentLength > largest)
            throw TooLarge();
    }

    /// <summary>False where the body is packed in a way that cannot be searched; then nothing has been written.</summary>
    public bool TryCopyHead(HttpResponseMessage message, HttpResponse response, bool hasBody)
    {
        var packing = Packing(message);
        var searches = Searches(packing);
        if (searches && hasBody && (!packing.IsKnown || IsPackedOnTheWay(message)))
            return false;
        var unpack = searches && packing.IsPacked && hasBody;

        response.StatusCode = (int)message.StatusCode;
        if (!string.IsNullOrEmpty(message.ReasonPhrase) && response.HttpContext.Features.Get<IHttpResponseFeature>() is { } feature)
            feature.ReasonPhrase = Clean(message.ReasonPhrase);
        var connection = message.Headers.NonValidated.TryGetValues("Connection", out var named) ? new StringValues([.. named]) : StringValues.Empty;
        foreach (var (name, values) in message.Headers.NonValidated)
            Copy(name, values, connection, response);
        foreach (var (name, values) in message.Content.Headers.NonValidated)
        {
            if (unpack && name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase))
                continue;
            // A replaced value has another length.
            if (searches && hasBody && name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                continue;
            Copy(name, values, connection, response);
        }

        return true;
    }

    public async Task CopyBody(HttpResponseMessage message, HttpResponse response, CancellationToken cancellationToken)
    {
        var packing = Packing(message);
        var searches = Searches(packing);
        await using var wire = new CountingStream(await message.Content.ReadAsStreamAsync(cancellationToken));
        await using var plain = searches ? packing.Unpack(wire) : wire;
        using var replacer = searches ? new StreamReplacer(search) : null;
        var meter = isMetered && message.IsSuccessStatusCode ? UsageMeter.For(message.Content.Headers.ContentType?.MediaType) : null;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await Relay(plain, wire, replacer, meter, buffer, response, cancellationToken);
        }
        finally
        {
            scrubbed += replacer?.Replaced ?? 0;
            if (meter is not null)
                Usage = meter.Conclude() ?? UsageMeter.Unknown;
            ArrayPool<byte>.Shared.Return(buffer, clearArray: searches);
        }
    }

    /// <summary>What came after the body. HTTP/1.1 clients get none: their framing has no place for what was not announced.</summary>
    public void CopyTrailers(HttpResponseMessage message, HttpResponse response)
    {
        if (!response.SupportsTrailers())
            return;
        foreach (var (name, values) in message.TrailingHeaders.NonValidated)
        {
            foreach (var value in values)
                response.AppendTrailer(Clean(name), Clean(value));
        }
    }

    async Task Relay(Stream plain, CountingStream wire, StreamReplacer? replacer, UsageMeter? meter, byte[] buffer, HttpResponse response, CancellationToken cancellationToken)
    {
        var to = response.BodyWriter;
        long unpacked = 0;
        var (start, end) = (0, 0);
        while (true)
        {
            // 1.
            Task<int>? arriving = null;
            var ended = false;
            while (!ended && buffer.Length - end >= LargestRecord)
            {
                var reading = plain.ReadAsync(buffer.AsMemory(end), cancellationToken);
                if (!reading.IsCompleted)
                {
                    arriving = reading.AsTask();
                    break;
                }

                var read = await reading;
                ended = read == 0;
                end += read;
            }

            BytesReceived = wire.Count;
            if (wire.Count > largest)
                throw TooLarge();
            unpacked += end - start;
            if (unpacked > ExpansionGrace && unpacked / MaxExpansion > wire.Count)
                throw new IOException("The answer unpacks to more than is credible.");

            // 2.
            if (!ended && !response.HasStarted)
                await response.StartAsync(cancellationToken);
            meter?.Push(buffer.AsSpan(start, end - start));
            var written = Write(buffer.AsSpan(start, end - start), ended, replacer, to);
            if (ended)
            {
                // The server flushes the end, once the outcome is recorded and the place of this request is free.
                if (!response.HasStarted)
                    response.ContentLength = written;
                return;
            }

            // 3.
            var flushed = await to.FlushAsync(cancellationToken);
            if (flushed.IsCompleted)
                throw new OperationCanceledException("The client is gone.");
            (start, end) = arriving is null ? (0, 0) : (end, end + await arriving);
        }
    }

    /// <summary>Writes what is decided of these bytes.</summary>
    /// <returns>How many bytes have been written of this answer, where it is searched; else how many were written now.</returns>
    static long Write(ReadOnlySpan<byte> bytes, bool last, StreamReplacer? replacer, PipeWriter to)
    {
        if (replacer is null)
        {
            to.WriteInRecords(bytes);
            return bytes.Length;
        }

        // In pieces, so that what the search works on stays in the processor's cache.
        for (; bytes.Length > LargestRecord; bytes = bytes[LargestRecord..])
            replacer.Push(bytes[..LargestRecord], last: false, to);
        replacer.Push(bytes, last, to);
        return replacer.Written;
    }

    void Copy(string name, System.Net.Http.Headers.HeaderStringValues values, StringValues connection, HttpResponse response)
    {
        if (HeaderRules.StaysThere(name, connection))
            return;
        if (values.Count == 1)
        {
            foreach (var value in values)
                response.Headers.Append(Clean(name), Clean(value));
            return;
        }

        foreach (var value in values)
            response.Headers.Append(Clean(name), Clean(value));
    }

    UpstreamFault TooLarge() => new(RefusalCodes.AnswerTooLarge, $"The answer is larger than {largest} bytes, which is the most that is passed on here.");

    string Clean(string text) => search() is { } known ? known.Clean(text, ref scrubbed) : text;

    bool Searches(Unpacker packing) => mayHold && (holdsSecrets || !packing.IsPacked);

    /// <summary>A transfer coding besides chunked (RFC 9112 §7): nobody asked for one, and what it packs would pass unread.</summary>
    static bool IsPackedOnTheWay(HttpResponseMessage message) =>
        message.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings) && codings.Any(coding => !coding.Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase));

    static Unpacker Packing(HttpResponseMessage message) =>
        Unpacker.Of(message.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var values) ? values.ToString() : "");
}
