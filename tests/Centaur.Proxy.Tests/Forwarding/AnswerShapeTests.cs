using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding;

public sealed class AnswerShapeTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_searched_answer_that_is_there_as_a_whole_keeps_a_length_and_it_is_that_of_what_was_written()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            var echo = Encoding.UTF8.GetBytes($"you sent {context.Request.Headers.Authorization}!");
            context.Response.ContentLength = echo.Length;
            await context.Response.Body.WriteAsync(echo, Token);
        }));
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send($"GET / HTTP/1.1\r\nHost: api.vendor.test\r\nAuthorization: Bearer {TestPolicy.Placeholder}\r\nConnection: close\r\n\r\n");
        var head = await client.ReadHead();
        var body = await client.ReadToEnd();

        body.ShouldBe($"you sent Bearer {TestPolicy.Placeholder}!");
        head.ShouldContain($"Content-Length: {body.Length}\r\n");
    }

    [Fact]
    public async Task P19_an_answer_that_unpacks_beyond_all_measure_is_cut_off()
    {
        var packed = new MemoryStream();
        await using (var packer = new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 128; i++)
                await packer.WriteAsync(zeros, Token);
        }

        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            context.Response.Headers.ContentEncoding = "br";
            await context.Response.Body.WriteAsync(packed.ToArray(), Token);
        }));
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send($"GET / HTTP/1.1\r\nHost: api.vendor.test\r\nAuthorization: Bearer {TestPolicy.Placeholder}\r\nConnection: close\r\n\r\n");
        await client.ReadHead();
        var answer = await client.ReadToEnd();

        answer.Length.ShouldBeLessThan(40 << 20);
        answer.ShouldNotEndWith("0\r\n\r\n");
        (await keyed.Proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("upstream_failed");
    }

    [Fact]
    public async Task Trailers_of_an_answer_end_at_this_hop_and_the_connection_stays_in_step()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var serving = Serve(listener, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Echo\r\n\r\n3\r\nabc\r\n0\r\nX-Echo: trailed\r\n\r\n", requests: 2);
        await using var proxy = await SandboxProxy.Start(
            TestPolicy.Allowing(Origin.Host) with { Map = [new UpstreamMap(Origin.Host, 443, "127.0.0.1", port) { Plaintext = true }] });
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("GET /1 HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");
        await client.Send("GET /2 HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");
        var answers = await client.ReadToEnd();

        await serving;
        answers.Split("HTTP/1.1 200 OK\r\n").Length.ShouldBe(3);
        answers.ShouldContain("abc");
        answers.ShouldNotContain("X-Echo");
        answers.ShouldNotContain("trailed");
    }

    /// <summary>Answers each request of one connection with these bytes.</summary>
    static async Task Serve(TcpListener listener, string answer, int requests)
    {
        using var connection = await listener.AcceptTcpClientAsync(Token);
        var stream = connection.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        for (var i = 0; i < requests; i++)
        {
            while (await reader.ReadLineAsync(Token) is { Length: > 0 })
            {
            }

            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), Token);
        }
    }
}
