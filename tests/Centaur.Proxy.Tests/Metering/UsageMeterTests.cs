using System.Text;
using Centaur.Proxy.Metering;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Metering;

public sealed class UsageMeterTests
{
    const string Message =
        """{"id":"msg_1","type":"message","model":"claude-sonnet-4-5","content":[{"type":"text","text":"{\"usage\":{\"output_tokens\":999}}","usage":{"output_tokens":5}}],"usage":{"input_tokens":12,"cache_creation_input_tokens":300,"cache_read_input_tokens":4000,"output_tokens":56,"server_tool_use":{"output_tokens":3}}}""";

    const string MessageEvents =
        """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-4-5","usage":{"input_tokens":12,"cache_creation_input_tokens":300,"cache_read_input_tokens":4000,"output_tokens":1}}}

        : ping
        event: content_block_delta
        data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\"usage\":{\"output_tokens\":999}"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":56}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    const string ResponseEvents =
        """
        event: response.created
        data: {"type":"response.created","response":{"id":"resp_1","model":"gpt-5.2","usage":null}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"usage"}

        event: response.completed
        data: {"type":"response.completed","response":{"id":"resp_1","model":"gpt-5.2","output":[{"usage":{"output_tokens":7}}],"usage":{"input_tokens":1000,"input_tokens_details":{"cached_tokens":900},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":8},"total_tokens":1020}}}


        """;

    const string Chunks =
        """
        data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"delta":{"content":"x"}}],"usage":null}

        data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":4,"total_tokens":34,"prompt_tokens_details":{"cached_tokens":10}}}

        data: [DONE]


        """;

    static readonly ModelUsage Claude = new("claude-sonnet-4-5", 1, 12, 4000, 300, 56, IsPartial: false);
    static readonly ModelUsage Gpt = new("gpt-5.2", 1, 100, 900, null, 20, IsPartial: false);
    static readonly ModelUsage Chat = new("gpt-4o", 1, 20, 10, null, 4, IsPartial: false);

    [Fact]
    public void Every_kind_of_answer_says_what_it_cost()
    {
        Metered("application/json", Message).ShouldBe(Claude);
        Metered("text/event-stream", MessageEvents).ShouldBe(Claude);
        Metered("text/event-stream", ResponseEvents).ShouldBe(Gpt);
        Metered("text/event-stream", Chunks).ShouldBe(Chat);
        Metered("text/event-stream", MessageEvents.ReplaceLineEndings("\r\n")).ShouldBe(Claude);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void However_an_answer_is_cut_it_costs_the_same(int piece)
    {
        Metered("application/json", Message, piece).ShouldBe(Claude);
        Metered("text/event-stream", MessageEvents, piece).ShouldBe(Claude);
        Metered("text/event-stream", ResponseEvents.ReplaceLineEndings("\r\n"), piece).ShouldBe(Gpt);
        Metered("text/event-stream", Chunks, piece).ShouldBe(Chat);
    }

    [Fact]
    public void F56_a_stream_that_is_cut_before_its_usage_is_partial_and_never_nothing()
    {
        var begun = MessageEvents[..MessageEvents.IndexOf("event: message_delta", StringComparison.Ordinal)];

        Metered("text/event-stream", begun).ShouldBe(new ModelUsage("claude-sonnet-4-5", 1, 12, 4000, 300, 1, IsPartial: true));
        Metered("text/event-stream", Chunks[..Chunks.IndexOf("data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[]", StringComparison.Ordinal)])
            .ShouldBe(new ModelUsage("gpt-4o", 1, null, null, null, null, IsPartial: true));
    }

    [Theory]
    [InlineData("""{"model":"m","usage":{"input_tokens":-5,"output_tokens":1.5}}""")]
    [InlineData("""{"model":"m","usage":{"input_tokens":99999999999999999999,"output_tokens":"7"}}""")]
    [InlineData("""{"model":"m","usage":[{"input_tokens":5,"output_tokens":6}]}""")]
    [InlineData("""{"model":"m","metadata":{"usage":{"output_tokens":6}}}""")]
    [InlineData("""{"model":"m","usage":{"deeper":{"output_tokens":6}}}""")]
    public void F56_numbers_that_cannot_be_and_usage_elsewhere_are_not_counted(string json) =>
        Metered("application/json", json).ShouldBe(new ModelUsage("m", 1, null, null, null, null, IsPartial: true));

    [Theory]
    [InlineData("")]
    [InlineData("not JSON {")]
    [InlineData("{}")]
    [InlineData("""{"error":{"type":"overloaded_error","message":"usage"}}""")]
    public void What_says_nothing_is_said_to_say_nothing(string text)
    {
        Metered("application/json", text).ShouldBeNull();
        Metered("text/event-stream", $"data: {text}\n\n").ShouldBeNull();
    }

    [Fact]
    public void A_text_without_an_end_is_given_up_and_holds_a_bounded_part_of_it()
    {
        var meter = UsageMeter.For("application/json");
        meter.Push("""{"model":"m","content":" """u8);
        var megabyte = Encoding.UTF8.GetBytes(new string('x', 1 << 20));
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var n = 0; n < 64; n++)
            meter.Push(megabyte);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(16 << 20);
        meter.Conclude().ShouldBe(new ModelUsage("m", 1, null, null, null, null, IsPartial: true));
    }

    [Fact]
    public void The_answers_of_one_socket_are_added_up()
    {
        var meter = UsageMeter.ForMessages();
        for (var answer = 0; answer < 2; answer++)
        {
            foreach (var line in ResponseEvents.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)))
            {
                meter.Push(Encoding.UTF8.GetBytes(line["data: ".Length..]));
                meter.EndMessage();
            }
        }

        meter.Conclude().ShouldBe(new ModelUsage("gpt-5.2", 2, 200, 1800, null, 40, IsPartial: false));
    }

    [Theory]
    [InlineData("POST", "/v1/messages", true)]
    [InlineData("POST", "/v1/responses", true)]
    [InlineData("GET", "/v1/responses", true)]
    [InlineData("POST", "/openai/v1/chat/completions", true)]
    [InlineData("POST", "/v1/messages/count_tokens", false)]
    [InlineData("GET", "/v1/models", false)]
    [InlineData("DELETE", "/v1/responses", false)]
    public void Only_what_asks_a_model_is_metered(string method, string path, bool metered) => UsageMeter.Concerns(method, path).ShouldBe(metered);

    static ModelUsage? Metered(string type, string answer, int piece = int.MaxValue)
    {
        var meter = UsageMeter.For(type);
        var bytes = Encoding.UTF8.GetBytes(answer);
        foreach (var part in bytes.Chunk(Math.Min(piece, Math.Max(1, bytes.Length))))
            meter.Push(part);
        return meter.Conclude();
    }
}
