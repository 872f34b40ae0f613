using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Centaur.Proxy.Scanning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// The upstream's answer on its way down: every read is written and flushed at once, and what this proxy knows to be a secret becomes its placeholder before it
/// is written.
/// </summary>
sealed class ResponseRelay(ScanModel? scan, bool holdsSecrets)
{
    const int ReadSize = 32 * 1024;

    // What unpacks to more than this multiple of what came is no honest answer.
    const int MaxExpansion = 1000;
    const long ExpansionGrace = 32 << 20;

    long scrubbed;

    public long BytesReceived { get; private set; }

    public long Scrubbed => scrubbed;

    /// <summary>False where the body is packed in a way that cannot be searched; then nothing has been written.</summary>
    public bool TryCopyHead(HttpResponseMessage message, HttpResponse response, bool hasBody)
    {
        var packed = Packing(message) is var packing && packing.Length > 0 && packing != "identity";
        var search = scan is not null && (holdsSecrets || !packed);
        if (search && packed && hasBody && !CanUnpack(packing))
            return false;
        var unpack = search && packed && hasBody;

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
            if (search && hasBody && name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                continue;
            Copy(name, values, connection, response);
        }

        return true;
    }

    public async Task CopyBody(HttpResponseMessage message, HttpResponse response, CancellationToken cancellationToken)
    {
        var packing = Packing(message);
        var packed = packing.Length > 0 && packing != "identity";
        await using var wire = await message.Content.ReadAsStreamAsync(cancellationToken);
        if (scan is null || (packed && !holdsSecrets))
        {
            await Pass(wire, response.BodyWriter, cancellationToken);
            return;
        }

        var counted = new CountingStream(wire);
        await using var plain = packed ? Unpack(counted, packing) : counted;
        await Search(plain, counted, response.BodyWriter, cancellationToken);
    }

    async Task Pass(Stream from, PipeWriter to, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            int read;
            while ((read = await Read(from, buffer, to, cancellationToken)) > 0)
            {
                BytesReceived += read;
                var flushed = await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                if (flushed.IsCompleted)
                    throw new OperationCanceledException("The client is gone.");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    async Task Search(Stream from, CountingStream wire, PipeWriter to, CancellationToken cancellationToken)
    {
        using var replacer = new StreamReplacer(scan!);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            long unpacked = 0;
            int read;
            do
            {
                read = await Read(from, buffer, to, cancellationToken);
                unpacked += read;
                BytesReceived = wire.Count;
                if (unpacked > ExpansionGrace && unpacked / MaxExpansion > wire.Count)
                    throw new IOException("The answer unpacks to more than is credible.");
                replacer.Push(buffer.AsSpan(0, read), last: read == 0, to);
                var flushed = await to.FlushAsync(cancellationToken);
                if (flushed.IsCompleted && read > 0)
                    throw new OperationCanceledException("The client is gone.");
            }
            while (read > 0);
        }
        finally
        {
            scrubbed += replacer.Replaced;
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Reads; where nothing has come yet, what is known (at least the head) goes out before the wait.</summary>
    static ValueTask<int> Read(Stream from, byte[] buffer, PipeWriter to, CancellationToken cancellationToken)
    {
        var pending = from.ReadAsync(buffer, cancellationToken);
        return pending.IsCompleted ? pending : Wait(pending, to, cancellationToken);

        static async ValueTask<int> Wait(ValueTask<int> pending, PipeWriter to, CancellationToken cancellationToken)
        {
            var arriving = pending.AsTask();
            await to.FlushAsync(cancellationToken);
            return await arriving;
        }
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

    string Clean(string text) => scan is null ? text : scan.Clean(text, ref scrubbed);

    static string Packing(HttpResponseMessage message) =>
        message.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var values) ? values.ToString().Trim().ToLowerInvariant() : "";

    static bool CanUnpack(string packing) => packing is "gzip" or "x-gzip" or "br" or "deflate";

    static Stream Unpack(Stream stream, string packing) => packing switch
    {
        "br" => new BrotliStream(stream, CompressionMode.Decompress),
        "deflate" => new ZLibStream(stream, CompressionMode.Decompress),
        _ => new GZipStream(stream, CompressionMode.Decompress),
    };
}
