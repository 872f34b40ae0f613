using System.Net;
using System.Security.Cryptography;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding;

public sealed class StreamingTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_event_of_a_stream_arrives_before_the_next_one_is_sent()
    {
        var heard = new SemaphoreSlim(0);
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 5; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n", Token);
                await context.Response.Body.FlushAsync(Token);
                // The next event is only sent when the client has read this one.
                await heard.WaitAsync(Token);
            }
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin));
        using var client = keyed.Proxy.Client();

        await using var stream = await client.GetStreamAsync("https://api.vendor.test/events", Token);
        using var reader = new StreamReader(stream);
        for (var i = 0; i < 5; i++)
        {
            (await reader.ReadLineAsync(Token)).ShouldBe($"data: {i}");
            (await reader.ReadLineAsync(Token)).ShouldBe("");
            heard.Release();
        }

        (await reader.ReadLineAsync(Token)).ShouldBeNull();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P26_a_big_body_arrives_whole_and_comes_back_whole(bool chunked)
    {
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.ContentType = "application/octet-stream";
            await context.Request.Body.CopyToAsync(context.Response.Body, Token);
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.WithKey(origin));
        using var client = proxy.Client();
        var body = RandomNumberGenerator.GetBytes(3_000_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.vendor.test/echo") { Content = new ByteArrayContent(body) };
        request.Headers.TransferEncodingChunked = chunked;

        using var answer = await client.SendAsync(request, Token);

        (await answer.Content.ReadAsByteArrayAsync(Token)).ShouldBe(body);
        var outcome = await proxy.AuditRecord("outcome");
        outcome.GetProperty("bytes_sent").GetInt64().ShouldBe(3_000_000);
        outcome.GetProperty("bytes_received").GetInt64().ShouldBe(3_000_000);
    }

    [Fact]
    public async Task A_client_that_expects_100_sends_its_body_only_when_the_origin_wants_it()
    {
        await using var origin = await Origin.Start(context =>
        {
            context.Response.StatusCode = 413;
            return Task.CompletedTask;
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n");

        var head = await client.ReadHead();

        head.ShouldStartWith("HTTP/1.1 413");
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    public async Task An_answer_without_a_body_leaves_the_connection_usable(string method, int status)
    {
        await using var origin = await Origin.Start(context =>
        {
            context.Response.StatusCode = status;
            if (method == "HEAD")
                context.Response.ContentLength = 1234;
            return Task.CompletedTask;
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        for (var i = 0; i < 2; i++)
        {
            await client.Send($"{method} / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");
            var head = await client.ReadHead();
            head.ShouldStartWith($"HTTP/1.1 {status}");
            if (method == "HEAD")
                head.ShouldContain("Content-Length: 1234");
        }

        origin.Seen.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_does_not_look_whole()
    {
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.WriteAsync("the first half", Token);
            await context.Response.Body.FlushAsync(Token);
            context.Abort();
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();

        await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsync("https://api.vendor.test/", Token));

        (await proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("upstream_failed");
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_request_upstream()
    {
        var left = new TaskCompletionSource();
        await using var origin = await Origin.Start(async context =>
        {
            context.RequestAborted.Register(left.SetResult);
            await context.Response.Body.FlushAsync(Token);
            await left.Task;
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using (var client = proxy.Client())
            await (await client.GetStreamAsync("https://api.vendor.test/", Token)).DisposeAsync();

        await left.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        (await proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("client_gone");
    }

    [Fact]
    public async Task P16_a_redirect_is_passed_on_and_never_followed()
    {
        await using var origin = await Origin.Start(context =>
        {
            context.Response.Redirect("https://evil.example/");
            return Task.CompletedTask;
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        answer.Headers.Location!.Host.ShouldBe("evil.example");
        origin.Seen.Count.ShouldBe(1);
    }
}
