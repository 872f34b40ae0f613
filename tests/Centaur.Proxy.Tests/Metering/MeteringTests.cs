using System.IO.Compression;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Metering;

/// <summary>What a model's answer cost stands in the outcome's record.</summary>
public sealed class MeteringTests
{
    const string Response = """{"object":"response","model":"gpt-5.2","usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":60},"output_tokens":7}}""";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_streamed_answer_is_read_beside_the_stream_and_goes_on_as_it_was()
    {
        const string Stream = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + Response + "}\n\n";
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            foreach (var part in Stream.Chunk(10))
            {
                await context.Response.WriteAsync(new string(part), Token);
                await context.Response.Body.FlushAsync(Token);
            }
        });
        await using var proxy = await SandboxProxy.Start(Metered(origin));

        (await Ask(proxy, "/v1/responses")).ShouldBe(Stream);

        Usage(await proxy.AuditRecord("outcome")).ShouldBe("""{"model":"gpt-5.2","calls":1,"input_tokens":40,"cached_tokens":60,"output_tokens":7}""");
    }

    [Fact]
    public async Task An_answer_that_was_packed_against_our_wish_is_metered_where_it_is_searched()
    {
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.Headers.ContentEncoding = "gzip";
            await using var packer = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await packer.WriteAsync(Encoding.UTF8.GetBytes(Response), Token);
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        var policy = TestPolicy.WithKey(origin);
        await keyed.Proxy.Enforce(policy with { Allow = [.. policy.Allow.Select(rule => rule with { Metered = true })] });

        (await Ask(keyed.Proxy, "/v1/responses", TestPolicy.Placeholder)).ShouldBe(Response);

        Usage(await keyed.Proxy.AuditRecord("outcome")).ShouldContain("\"output_tokens\":7");
    }

    [Fact]
    public async Task F56_an_answer_that_says_nothing_of_its_cost_is_recorded_as_unknown()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("sorry", Token));
        await using var proxy = await SandboxProxy.Start(Metered(origin));

        await Ask(proxy, "/v1/chat/completions");

        Usage(await proxy.AuditRecord("outcome")).ShouldBe("""{"calls":1,"partial":true}""");
    }

    [Theory]
    [InlineData("/v1/models", true)]
    [InlineData("/v1/responses", false)]
    public async Task What_asks_no_model_or_goes_where_none_is_said_to_be_is_not_metered(string path, bool metered)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync(Response, Token));
        await using var proxy = await SandboxProxy.Start(metered ? Metered(origin) : TestPolicy.To(origin));

        await Ask(proxy, path);

        (await proxy.AuditRecord("outcome")).TryGetProperty("usage", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task The_answers_of_a_socket_are_metered()
    {
        await using var origin = await Origin.Start(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var answer = Encoding.UTF8.GetBytes("{\"type\":\"response.completed\",\"response\":" + Response + "}");
            for (var n = 0; n < 2; n++)
            {
                await socket.SendAsync(answer.AsMemory(0, 50), WebSocketMessageType.Text, endOfMessage: false, Token);
                await socket.SendAsync(answer.AsMemory(50), WebSocketMessageType.Text, endOfMessage: true, Token);
            }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        });
        await using var proxy = await SandboxProxy.Start(Metered(origin).WithWebSockets());
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("wss://api.vendor.test/v1/responses"), proxy.Client(), Token);

        var buffer = new byte[4096];
        while ((await socket.ReceiveAsync(buffer.AsMemory(), Token)).MessageType != WebSocketMessageType.Close)
        {
        }
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Token);

        Usage(await proxy.AuditRecord("outcome")).ShouldBe("""{"model":"gpt-5.2","calls":2,"input_tokens":80,"cached_tokens":120,"output_tokens":14}""");
    }

    static ProxyPolicy Metered(Origin origin)
    {
        var policy = TestPolicy.To(origin);
        return policy with { Allow = [.. policy.Allow.Select(rule => rule with { Metered = true })] };
    }

    static string Usage(JsonElement outcome) => outcome.GetProperty("usage").GetRawText();

    static async Task<string> Ask(SandboxProxy proxy, string path, string? key = null)
    {
        using var client = proxy.Client();
        if (key is not null)
            client.DefaultRequestHeaders.Add("Authorization", "Bearer " + key);
        using var answer = await client.PostAsync($"https://api.vendor.test{path}", new StringContent("{}"), Token);
        return await answer.Content.ReadAsStringAsync(Token);
    }
}
