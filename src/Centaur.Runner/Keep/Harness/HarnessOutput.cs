using System.Net.Sockets;
using System.Text.Json;
using System.Text.Unicode;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// Reads a harness's standard output line by line.
/// <para>1. Before each line it waits until the journal has room; the harness then stands still at its full pipe.</para>
/// <para>2. When that takes longer than the limit, lines are read, so that the turn's end is seen, and their events dropped until there is room again; a notice then says how many bytes.</para>
/// <para>3. A line that is no JSON object of sane depth in valid UTF-8, or that is too long, is quarantined: counted, quoted at its head, never parsed.</para>
/// <para>4. The rest goes to the driver.</para>
/// </summary>
internal sealed class HarnessOutput(Socket stream, SandboxLimits limits, TurnDesk desk, TimeProvider time)
{
    const int HeadBytes = 200;
    static readonly JsonDocumentOptions Sane = new() { MaxDepth = 60 };

    public async Task Listen(Func<JsonElement, CancellationToken, Task> receive, CancellationToken cancellationToken)
    {
        await using var bytes = new NetworkStream(stream, ownsSocket: false);
        await using var reader = new LineReader(bytes, limits.FrameBytes);
        while (true)
        {
            // 1. and 2.
            desk.Cutting = !await WaitForRoom(cancellationToken);
            var line = await reader.Read(cancellationToken);
            if (line.Kind == LineKind.End)
                return;

            // While it waited for this line a worker may have made room.
            desk.Cutting = desk.Cutting && !desk.HasRoom;
            if (line.Length == 0)
                continue;

            // 3.
            if (Parse(line, out var reason) is not { } document)
            {
                desk.Quarantine(reason, line.Length, line.Bytes.Span[..Math.Min(HeadBytes, line.Bytes.Length)]);
                continue;
            }

            // 4.
            using (document)
            {
                try
                {
                    await receive(document.RootElement, cancellationToken);
                }
                catch (InvalidOperationException)
                {
                    // A string with half a surrogate pair passes for JSON until somebody reads it.
                    desk.Quarantine("not_text", line.Length, line.Bytes.Span[..Math.Min(HeadBytes, line.Bytes.Length)]);
                }
            }
        }
    }

    static JsonDocument? Parse(Line line, out string reason)
    {
        reason = "line_too_long";
        if (line.Kind == LineKind.Oversized)
            return null;
        reason = "invalid_utf8";
        if (!Utf8.IsValid(line.Bytes.Span))
            return null;
        reason = "not_json";
        try
        {
            var document = JsonDocument.Parse(line.Bytes, Sane);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            reason = "not_an_object";
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    async Task<bool> WaitForRoom(CancellationToken cancellationToken)
    {
        if (desk.Cutting)
            return desk.HasRoom;
        var full = time.GetTimestamp();
        var limit = TimeSpan.FromSeconds(limits.JournalFullSeconds);
        while (true)
        {
            var shrunk = desk.Shrunk;
            if (desk.HasRoom)
                return true;
            var left = limit - time.GetElapsedTime(full);
            if (left <= TimeSpan.Zero)
                return false;
            try
            {
                await shrunk.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
