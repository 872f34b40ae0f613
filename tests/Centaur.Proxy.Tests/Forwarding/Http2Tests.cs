using System.Net;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding;

/// <summary>Many requests on one connection, each judged for itself.</summary>
public sealed class Http2Tests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HttpProtocols.Http1AndHttp2, "HTTP/2")]
    [InlineData(HttpProtocols.Http1, "HTTP/1.1")]
    public async Task P28_A_client_of_HTTP2_is_served_with_its_key_swapped_whatever_the_origin_speaks(HttpProtocols spoken, string seen)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"), protocols: spoken);
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin));
        using var client = keyed.Proxy.Client();
        using var request = Get("https://api.vendor.test/v1");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {TestPolicy.Placeholder}");

        using var answer = await client.SendAsync(request, Token);

        (answer.StatusCode, answer.Version).ShouldBe((HttpStatusCode.OK, HttpVersion.Version20));
        var reached = origin.Seen.Single();
        (reached.Protocol, reached.Headers["Authorization"]).ShouldBe((seen, $"Bearer {Origin.RealKey}"));
    }

    [Fact]
    public async Task P28_Each_of_a_hundred_streams_of_one_connection_is_judged_and_answered_for_itself()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync(context.Request.Path + context.Request.QueryString));
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin) with { Allow = [new("test", [Origin.Host]) { Paths = ["/open/*"] }] });
        using var client = proxy.Client();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async n =>
        {
            using var answer = await client.SendAsync(Get($"https://api.vendor.test/{(n % 2 == 0 ? "open" : "shut")}/{n}"), Token);
            return (n, answer.StatusCode, Body: await answer.Content.ReadAsStringAsync(Token));
        }));

        foreach (var (n, status, body) in answers)
        {
            status.ShouldBe(n % 2 == 0 ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
            if (n % 2 == 0)
                body.ShouldBe($"/open/{n}");
        }
        proxy.Audit().Count(record => record.GetProperty("kind").GetString() == "refusal").ShouldBe(50);
    }

    [Fact]
    public async Task P09_An_authority_that_is_not_the_tunnels_is_refused_inside_of_HTTP2_too()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await SandboxProxy.Start(TestPolicy.WithKey(origin));
        await using var client = await Raw(proxy, (":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "other.vendor.test"));

        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("authority_mismatch");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P28_What_is_said_both_ways_at_once_passes_as_it_is_said()
    {
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.Body.FlushAsync(Token);
            using var reader = new StreamReader(context.Request.Body);
            while (await reader.ReadLineAsync(Token) is { } line)
            {
                await context.Response.WriteAsync($"heard {line}\n", Token);
                await context.Response.Body.FlushAsync(Token);
            }
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();
        var saying = new Dialogue();
        using var request = Get("https://api.vendor.test/talk");
        (request.Method, request.Content) = (HttpMethod.Post, saying);

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        using var heard = new StreamReader(await answer.Content.ReadAsStreamAsync(Token));
        foreach (var word in (string[])["one", "two", "three"])
        {
            await saying.Say(word + "\n");
            (await heard.ReadLineAsync(Token)).ShouldBe($"heard {word}");
        }
        saying.End();

        (await heard.ReadLineAsync(Token)).ShouldBeNull();
    }

    [Fact]
    public async Task P18_Trailers_arrive_and_a_value_in_one_is_its_placeholder()
    {
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.WriteAsync("body", Token);
            context.Response.AppendTrailer("grpc-status", "0");
            context.Response.AppendTrailer("echo", context.Request.Headers.Authorization.ToString());
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin));
        using var client = keyed.Proxy.Client();
        using var request = Get("https://api.vendor.test/");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {TestPolicy.Placeholder}");
        request.Headers.TE.Add(new("trailers"));

        using var answer = await client.SendAsync(request, Token);
        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("body");

        answer.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        answer.TrailingHeaders.GetValues("echo").ShouldBe([$"Bearer {TestPolicy.Placeholder}"]);
        origin.Seen.Single().Headers["TE"].ShouldBe("trailers");
    }

    [Theory]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("upgrade", "websocket")]
    [InlineData("keep-alive", "timeout=5")]
    public async Task P14_A_header_of_connections_inside_of_HTTP2_never_reaches_the_origin(string name, string value)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await Raw(proxy, (":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", Origin.Host), (name, value));

        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("bad_request");
        origin.Seen.ShouldBeEmpty();
    }

    static HttpRequestMessage Get(string address) =>
        new(HttpMethod.Get, address) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>A connection on which one request was sent, of exactly these headers.</summary>
    static async Task<RawClient> Raw(SandboxProxy proxy, params (string Name, string Value)[] headers)
    {
        var client = await RawClient.Tunnel(proxy, protocol: System.Net.Security.SslApplicationProtocol.Http2);
        await client.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        await client.Send(Frame(type: 4, flags: 0, stream: 0, []));
        await client.Send(Frame(type: 1, flags: 0x05, stream: 1, Block(headers)));
        return client;
    }

    /// <summary>One frame of HTTP/2 (RFC 9113 §4.1).</summary>
    static byte[] Frame(byte type, byte flags, byte stream, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];

    /// <summary>Headers as literals that nobody indexes (RFC 7541 §6.2.2).</summary>
    static byte[] Block(params (string Name, string Value)[] headers) =>
        [.. headers.SelectMany(header => (byte[])[0, (byte)header.Name.Length, .. Encoding.ASCII.GetBytes(header.Name), (byte)header.Value.Length, .. Encoding.ASCII.GetBytes(header.Value)])];

    /// <summary>A body that is said word by word.</summary>
    sealed class Dialogue : HttpContent
    {
        readonly TaskCompletionSource<Stream> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task Say(string text)
        {
            var stream = await begun.Task;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Token);
            await stream.FlushAsync(Token);
        }

        public void End() => ended.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The head goes first, alone.
            await stream.FlushAsync(Token);
            begun.SetResult(stream);
            await ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
