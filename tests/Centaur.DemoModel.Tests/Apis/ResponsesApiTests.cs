using Centaur.DemoModel.Tests.Hosting;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Apis;

public sealed class ResponsesApiTests(DemoModelFixture model)
{
    const string Path = "/v1/responses";
    const string Tool = """{"type":"function","name":"exec_command","parameters":{"type":"object","properties":{"cmd":{"type":"string"}}}}""";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_text_streams_in_the_order_of_the_real_api()
    {
        var events = await model.Stream(Path, """{"model":"m","stream":true,"input":"Reply with exactly PONG."}""", Cancellation);

        events.Select(data => data.GetProperty("type").GetString()).ShouldBe(
        [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
            "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
        ]);
        events.Select(data => data.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, events.Count));
        var response = events[^1].GetProperty("response");
        response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("PONG");
        response.GetProperty("usage").GetProperty("total_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task A_tool_call_goes_around()
    {
        var call = (await model.Stream(Path, $$"""{"model":"m","stream":true,"input":"Run: cat x","tools":[{{Tool}}]}""", Cancellation))[^1]
            .GetProperty("response").GetProperty("output")[0];
        call.GetProperty("type").GetString().ShouldBe("function_call");
        call.GetProperty("name").GetString().ShouldBe("exec_command");

        var id = call.GetProperty("call_id").GetString();
        var (status, answer) = await model.Post(Path,
            $$"""{"model":"m","tools":[{{Tool}}],"input":[{"role":"user","content":[{"type":"input_text","text":"Run: cat x"}]},{{call}},{"type":"function_call_output","call_id":"{{id}}","output":"the nonce"}]}""",
            Cancellation);
        status.ShouldBe(200);
        answer.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("the nonce");
    }

    [Fact]
    public async Task A_tool_in_a_namespace_is_called_with_it()
    {
        const string Body = """{"model":"m","input":[{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"}]}]},{"role":"user","content":"Run: ls"}]}""";
        var call = (await model.Post(Path, Body, Cancellation)).Body.GetProperty("output")[0];
        call.GetProperty("type").GetString().ShouldBe("custom_tool_call");
        call.GetProperty("namespace").GetString().ShouldBe("functions");
        call.GetProperty("input").GetString()!.ShouldContain("tools.exec_command");
    }

    [Theory]
    [InlineData("""{"input":"x"}""", "model")]
    [InlineData("""{"model":"m"}""", "input")]
    [InlineData("""{"model":"m","input":7}""", "input")]
    [InlineData("""{"model":"m","input":"x","stream":"yes"}""", "stream")]
    [InlineData("""{"model":"m","input":"x","surprise":1}""", "surprise")]
    [InlineData("""{"model":"m","input":[{"role":"robot","content":"x"}]}""", "input[0].role")]
    [InlineData("""{"model":"m","input":[{"role":"user"}]}""", "input[0].content")]
    [InlineData("""{"model":"m","input":[{"role":"user","content":[{"type":"picture"}]}]}""", "input[0].content[0].type")]
    [InlineData("""{"model":"m","input":[{"type":"surprise"}]}""", "input[0].type")]
    [InlineData("""{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}""", "input")]
    [InlineData("""{"model":"m","input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}""", "input")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"function"}]}""", "tools[0].name")]
    [InlineData("""[]""", null)]
    [InlineData("""{"model":""", null)]
    public async Task What_the_real_api_refuses_is_refused(string body, string? parameter)
    {
        var (status, answer) = await model.Post(Path, body, Cancellation);
        status.ShouldBe(400);
        answer.GetProperty("error").GetProperty("type").GetString().ShouldBe("invalid_request_error");
        answer.GetProperty("error").GetProperty("param").GetString().ShouldBe(parameter);
    }
}
