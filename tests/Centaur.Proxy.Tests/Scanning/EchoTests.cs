using System.IO.Compression;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Unpacking;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Scanning;

public sealed class EchoTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F33_P18_an_upstream_that_echoes_its_headers_tells_the_sandbox_nothing()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            var authorization = context.Request.Headers.Authorization.ToString();
            context.Response.Headers["X-Echo"] = authorization;
            context.Response.Headers.Location = "https://evil.example/?t=" + Uri.EscapeDataString(authorization[7..]);
            await context.Response.WriteAsync(authorization + "|" + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + authorization[7..])) + "|end");
        }));

        var (head, body) = await Ask(keyed);

        head.ShouldContain("X-Echo: Bearer " + TestPolicy.Placeholder);
        head.ShouldContain("Location: https://evil.example/?t=" + TestPolicy.Placeholder);
        body.ShouldContain("Bearer " + TestPolicy.Placeholder + "|");
        body.ShouldContain("|end");
        Leaks(head + body).ShouldBeFalse();
        (await keyed.Proxy.AuditRecord("outcome")).GetProperty("scrubbed").GetInt64().ShouldBeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public async Task F34_a_value_that_is_cut_over_many_writes_is_still_found()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            foreach (var letter in context.Request.Headers.Authorization.ToString())
            {
                await context.Response.WriteAsync(letter.ToString(), Token);
                await context.Response.Body.FlushAsync(Token);
            }
        }));

        var (_, body) = await Ask(keyed);

        Leaks(body).ShouldBeFalse();
        body.Replace("\r\n", "", StringComparison.Ordinal).ShouldContain("Bearer ");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    public async Task F34_an_answer_that_is_packed_against_our_wish_is_unpacked_and_searched(string encoding)
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            context.Request.Headers.AcceptEncoding.ToString().ShouldBe("identity");
            context.Response.Headers.ContentEncoding = encoding;
            var echo = Encoding.UTF8.GetBytes("packed " + context.Request.Headers.Authorization);
            if (encoding == "zstd")
            {
                await context.Response.Body.WriteAsync(ZstandardPacker.Pack(echo), Token);
                return;
            }

            await using Stream packer = encoding switch
            {
                "br" => new BrotliStream(context.Response.Body, CompressionLevel.Fastest),
                "deflate" => new ZLibStream(context.Response.Body, CompressionLevel.Fastest),
                _ => new GZipStream(context.Response.Body, CompressionLevel.Fastest),
            };
            await packer.WriteAsync(echo, Token);
        }));

        var (head, body) = await Ask(keyed);

        head.ShouldNotContain("Content-Encoding");
        body.ShouldContain("packed Bearer " + TestPolicy.Placeholder);
        Leaks(body).ShouldBeFalse();
    }

    [Fact]
    public async Task F34_an_answer_that_cannot_be_unpacked_is_not_passed_on()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            context.Response.Headers.ContentEncoding = "compress";
            await context.Response.WriteAsync("?" + context.Request.Headers.Authorization, Token);
        }));

        var (head, body) = await Ask(keyed);

        head.ShouldStartWith("HTTP/1.1 502");
        head.ShouldContain("response_encoding_not_scannable");
        Leaks(body).ShouldBeFalse();
    }

    [Fact]
    public async Task F34_an_answer_that_is_packed_on_its_way_is_not_passed_on()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            using var packed = new MemoryStream();
            await using (var packer = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                await packer.WriteAsync(Encoding.UTF8.GetBytes("packed " + context.Request.Headers.Authorization), Token);
            // The server leaves the framing to whoever names a coding.
            context.Response.Headers.TransferEncoding = "gzip, chunked";
            await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes($"{packed.Length:x}\r\n"), Token);
            await context.Response.Body.WriteAsync(packed.ToArray(), Token);
            await context.Response.Body.WriteAsync("\r\n0\r\n\r\n"u8.ToArray(), Token);
        }, protocols: Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1));

        var (head, _) = await Ask(keyed);

        head.ShouldStartWith("HTTP/1.1 502");
        head.ShouldContain("response_encoding_not_scannable");
    }

    [Fact]
    public async Task P18_an_answer_that_began_before_the_value_was_known_is_searched_for_it()
    {
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var keyed = await KeyedProxy.Start(await Origin.Start(async context =>
        {
            if (context.Request.Path == "/keyed")
            {
                heard.TrySetResult(context.Request.Headers.Authorization.ToString());
                return;
            }

            await context.Response.WriteAsync("begun\n", Token);
            await context.Response.Body.FlushAsync(Token);
            await context.Response.WriteAsync($"heard {await heard.Task.WaitAsync(Token)}\n", Token);
        }));
        using var client = keyed.Proxy.Client();
        await using var stream = await client.GetStreamAsync($"https://{Origin.Host}/stream", Token);
        using var reader = new StreamReader(stream);
        (await reader.ReadLineAsync(Token)).ShouldBe("begun");

        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{Origin.Host}/keyed");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + TestPolicy.Placeholder);
        using var answer = await client.SendAsync(request, Token);

        (await reader.ReadLineAsync(Token)).ShouldBe("heard Bearer " + TestPolicy.Placeholder);
        (await heard.Task).ShouldBe("Bearer " + Origin.RealKey);
    }

    static bool Leaks(string text)
    {
        var key = Origin.RealKey;
        return text.Contains(key, StringComparison.Ordinal)
            || text.Contains(Uri.EscapeDataString(key), StringComparison.Ordinal)
            || text.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + key))[8..], StringComparison.Ordinal);
    }

    static async Task<(string Head, string Body)> Ask(KeyedProxy keyed)
    {
        await using var client = await RawClient.Tunnel(keyed.Proxy);
        await client.Send($"GET / HTTP/1.1\r\nHost: api.vendor.test\r\nAccept-Encoding: gzip, br\r\nAuthorization: Bearer {TestPolicy.Placeholder}\r\nConnection: close\r\n\r\n");
        return (await client.ReadHead(), await client.ReadToEnd());
    }
}
