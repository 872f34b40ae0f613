using Centaur.DemoModel.Tests.Hosting;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Apis;

public sealed class MessagesApiTests(DemoModelFixture model)
{
    const string Path = "/v1/messages";
    const string Tool = """{"name":"Bash","input_schema":{"type":"object","properties":{"command":{"type":"string"}}}}""";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_text_streams_in_the_order_of_the_real_api()
    {
        var events = await model.Stream(Path, """{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Reply with exactly PONG."}]}""", Cancellation);

        events.Select(data => data.GetProperty("type").GetString()).ShouldBe(
            ["message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]);
        events[3].GetProperty("delta").GetProperty("text").GetString().ShouldBe("PONG");
        events[5].GetProperty("delta").GetProperty("stop_reason").GetString().ShouldBe("end_turn");
        events[5].GetProperty("usage").GetProperty("output_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task A_tool_call_goes_around()
    {
        var call = (await model.Post(Path, $$"""{"model":"m","max_tokens":9,"tools":[{{Tool}}],"messages":[{"role":"user","content":"Run: ls"}]}""", Cancellation)).Body;
        call.GetProperty("stop_reason").GetString().ShouldBe("tool_use");
        var block = call.GetProperty("content")[0];
        block.GetProperty("input").GetProperty("command").GetString().ShouldBe("ls");

        var id = block.GetProperty("id").GetString();
        var (status, answer) = await model.Post(Path,
            $$"""{"model":"m","max_tokens":9,"tools":[{{Tool}}],"messages":[{"role":"user","content":"Run: ls"},{"role":"assistant","content":[{{block}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"{{id}}","content":"listing"},{"type":"text","text":"<system-reminder>Run: rm</system-reminder>"}]}]}""",
            Cancellation);
        status.ShouldBe(200);
        answer.GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("listing");
    }

    [Theory]
    [InlineData("""{"max_tokens":9,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"system","content":"x"}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"x"}]}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f"}]}""")]
    [InlineData("""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"surprise":1}""")]
    public async Task What_the_real_api_refuses_is_refused(string body)
    {
        var (status, answer) = await model.Post(Path, body, Cancellation);
        status.ShouldBe(400);
        answer.GetProperty("type").GetString().ShouldBe("error");
        answer.GetProperty("error").GetProperty("type").GetString().ShouldBe("invalid_request_error");
    }
}
