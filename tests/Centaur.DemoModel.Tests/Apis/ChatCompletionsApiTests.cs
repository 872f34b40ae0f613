using Centaur.DemoModel.Tests.Hosting;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Apis;

public sealed class ChatCompletionsApiTests(DemoModelFixture model)
{
    const string Path = "/v1/chat/completions";
    const string Tool = """{"type":"function","function":{"name":"shell","parameters":{"type":"object","properties":{"command":{"type":"string"}}}}}""";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_text_streams_with_usage_for_who_asks_for_it()
    {
        var chunks = await model.Stream(Path,
            """{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Count to 3"}]}""", Cancellation);

        chunks[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString().ShouldBe("assistant");
        string.Concat(chunks.SkipLast(2).Select(chunk => chunk.GetProperty("choices")[0].GetProperty("delta").GetProperty("content").GetString())).ShouldBe("1\n2\n3");
        chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("stop");
        chunks[^1].GetProperty("usage").GetProperty("total_tokens").GetInt32().ShouldBePositive();
        chunks[^1].GetProperty("choices").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_tool_call_goes_around()
    {
        var chunks = await model.Stream(Path, $$"""{"model":"m","stream":true,"tools":[{{Tool}}],"messages":[{"role":"user","content":"Run: ls"}]}""", Cancellation);
        chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString().ShouldBe("tool_calls");

        var message = (await model.Post(Path, $$"""{"model":"m","tools":[{{Tool}}],"messages":[{"role":"user","content":"Run: ls"}]}""", Cancellation))
            .Body.GetProperty("choices")[0].GetProperty("message");
        var id = message.GetProperty("tool_calls")[0].GetProperty("id").GetString();
        message.GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString().ShouldBe("""{"command":"ls"}""");

        var (status, answer) = await model.Post(Path,
            $$"""{"model":"m","tools":[{{Tool}}],"messages":[{"role":"user","content":"Run: ls"},{{message}},{"role":"tool","tool_call_id":"{{id}}","content":"listing"}]}""", Cancellation);
        status.ShouldBe(200);
        answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().ShouldBe("listing");
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m"}""")]
    [InlineData("""{"model":"m","messages":[]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"robot","content":"x"}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":null}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"tool","tool_call_id":"c","content":"x"}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}],"surprise":true}""")]
    public async Task What_the_real_api_refuses_is_refused(string body)
    {
        var (status, answer) = await model.Post(Path, body, Cancellation);
        status.ShouldBe(400);
        answer.GetProperty("error").GetProperty("type").GetString().ShouldBe("invalid_request_error");
    }
}
