using System.Text;
using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Shouldly;
using Xunit;

namespace Centaur.Protocol.Tests;

public sealed class ProtocolJsonTests
{
    [Fact]
    public void A_frame_has_the_documented_shape()
    {
        using var parsed = JsonDocument.Parse("""{"type":"assistant"}""");
        var frame = new Frame { Seq = 41, Turn = "turn-9f", Event = parsed.RootElement };

        JsonSerializer.Serialize(frame, ProtocolJson.Default.Frame).ShouldBe("""{"seq":41,"turn":"turn-9f","event":{"type":"assistant"}}""");
    }

    [Fact]
    public void A_worker_message_is_told_by_its_type_wherever_that_stands()
    {
        var message = JsonSerializer.Deserialize("""{"generation":7,"type":"attach","after_seq":40,"unknown":1}""", ProtocolJson.Default.WorkerMessage);

        message.ShouldBe(new AttachRequest(7, 40));
    }

    [Fact]
    public void An_attach_request_has_the_documented_shape() =>
        JsonSerializer.Serialize(new AttachRequest(7, 40), ProtocolJson.Default.WorkerMessage)
            .ShouldBe("""{"type":"attach","generation":7,"after_seq":40}""");

    [Fact]
    public async Task A_line_beyond_the_cap_is_reported_and_the_next_one_is_read()
    {
        var stream = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 100_000) + "\n{}\npartial"));
        await using var reader = new LineReader(stream, maxLineBytes: 1000);

        var oversized = await reader.Read(TestContext.Current.CancellationToken);
        var complete = await reader.Read(TestContext.Current.CancellationToken);
        var end = await reader.Read(TestContext.Current.CancellationToken);

        oversized.Kind.ShouldBe(LineKind.Oversized);
        oversized.Length.ShouldBe(100_000);
        Encoding.UTF8.GetString(complete.Bytes.Span).ShouldBe("{}");
        end.Kind.ShouldBe(LineKind.End);
    }
}
