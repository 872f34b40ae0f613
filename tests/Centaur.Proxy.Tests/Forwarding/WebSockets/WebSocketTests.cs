using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding.WebSockets;

/// <summary>From the question to the last frame.</summary>
public sealed class WebSocketTests
{
    const string Question =
        "GET /socket HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_of_every_size_pass_both_ways_and_goodbyes_with_their_reason()
    {
        await using var origin = await Echo();
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin).WithWebSockets());
        using var socket = await Open(proxy);

        foreach (var size in (int[])[0, 1, 125, 126, 65_535, 65_536, 300_000])
        {
            var message = RandomNumberGenerator.GetBytes(size);
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, Token);
            var (type, heard) = await Receive(socket);
            type.ShouldBe(WebSocketMessageType.Binary);
            heard.ShouldBe(message);
        }
        await socket.SendAsync("hello "u8.ToArray(), WebSocketMessageType.Text, endOfMessage: false, Token);
        await socket.SendAsync("world"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
        Encoding.UTF8.GetString((await Receive(socket)).Bytes).ShouldBe("hello world");
        await socket.CloseAsync((WebSocketCloseStatus)4321, "done", Token);

        ((int)socket.CloseStatus!, socket.CloseStatusDescription).ShouldBe((4321, "done"));
        var outcome = await proxy.AuditRecord("outcome");
        outcome.GetProperty("status").GetInt32().ShouldBe(101);
        outcome.GetProperty("bytes_sent").GetInt64().ShouldBeGreaterThan(431_000);
        outcome.GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(431_000);
    }

    [Fact]
    public async Task An_upgrade_that_no_rule_allows_is_403_and_never_leaves()
    {
        await using var origin = await Echo();
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send(Question);

        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: upgrade_not_allowed");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8")]
    [InlineData("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: short")]
    [InlineData("GET /", "POST /")]
    [InlineData("Connection: Upgrade", "Connection: keep-alive")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c, websocket")]
    public async Task A_question_that_is_not_quite_one_is_400(string right, string wrong)
    {
        await using var origin = await Echo();
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin).WithWebSockets());
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send(Question.Replace(right, wrong, StringComparison.Ordinal));

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 400");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P15_After_an_upgrade_that_was_declined_the_next_bytes_are_a_request_like_any_other()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("no socket here"));
        await using var proxy = await SandboxProxy.Start((TestPolicy.To(origin) with { Allow = [new("test", [Origin.Host]) { Paths = ["/socket"] }] }).WithWebSockets());
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send(Question + "GET /hidden HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        (await client.ReadSome("no socket here".Length)).ShouldBe("no socket here");
        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: route_not_allowed");
        origin.Seen.Single().Target.ShouldBe("/socket");
    }

    [Theory]
    [InlineData("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("Sec-WebSocket-Accept", "")]
    [InlineData("Upgrade", "h2c")]
    [InlineData("Sec-WebSocket-Extensions", "permessage-deflate")]
    public async Task P15_Bytes_flow_only_after_an_answer_that_proves_a_WebSocket(string header, string value)
    {
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.SecWebSocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
            context.Response.Headers[header] = value;
            await using var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            await stream.WriteAsync("raw bytes"u8.ToArray(), Token);
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin).WithWebSockets());
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send(Question);

        var head = await client.ReadHead();
        head.ShouldStartWith("HTTP/1.1 502");
        head.ShouldContain("X-Centaur-Denied: upgrade_not_verified");
    }

    [Fact]
    public async Task P15_A_switch_that_nobody_asked_for_is_502()
    {
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.StatusCode = 101;
            context.Response.Headers.Upgrade = "websocket";
            await context.Response.StartAsync(Token);
        }, protocols: Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin).WithWebSockets());
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 502");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task P18_A_value_in_frames_arrives_as_its_placeholder_however_it_is_cut(int pieces)
    {
        await using var origin = await Sockets(async socket =>
        {
            var text = Encoding.UTF8.GetBytes($"you sent {Origin.RealKey}, did you not");
            foreach (var piece in text.Chunk(Math.Max(1, text.Length / pieces)))
                await socket.SendAsync(piece, WebSocketMessageType.Text, endOfMessage: false, Token);
            await socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Text, endOfMessage: true, Token);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, Origin.RealKey, Token);
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin).WithWebSockets());
        using var socket = await Open(keyed.Proxy, options => options.SetRequestHeader("Authorization", $"Bearer {TestPolicy.Placeholder}"));

        Encoding.UTF8.GetString((await Receive(socket)).Bytes).ShouldBe($"you sent {TestPolicy.Placeholder}, did you not");
        await Receive(socket);

        socket.CloseStatusDescription.ShouldBe(TestPolicy.Placeholder);
        origin.Seen.Single().Headers["Authorization"].ShouldBe($"Bearer {Origin.RealKey}");
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        (await keyed.Proxy.AuditRecord("outcome")).GetProperty("scrubbed").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task P18_A_value_that_was_fetched_after_the_socket_was_opened_is_searched_for_in_its_next_message()
    {
        await using var origin = await Origin.Start(async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
                return;
            using var asked = await context.WebSockets.AcceptWebSocketAsync();
            while (await Receive(asked) is (not WebSocketMessageType.Close, _))
                await asked.SendAsync(Encoding.UTF8.GetBytes(Origin.RealKey), WebSocketMessageType.Text, endOfMessage: true, Token);
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin).WithWebSockets());
        using var socket = await Open(keyed.Proxy);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);
        (await client.GetAsync("https://api.vendor.test/", Token)).EnsureSuccessStatusCode();

        await socket.SendAsync("tell"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);

        Encoding.UTF8.GetString((await Receive(socket)).Bytes).ShouldBe(TestPolicy.Placeholder);
    }

    [Theory]
    [InlineData(false, TestPolicy.Placeholder)]
    [InlineData(true, Origin.RealKey)]
    public async Task A_placeholder_in_frames_is_inert_text_unless_it_is_bound_there(bool bound, string arrives)
    {
        await using var origin = await Echo();
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"], InBody = bound }).WithWebSockets());
        using var socket = await Open(keyed.Proxy);

        await socket.SendAsync(Encoding.UTF8.GetBytes($"reverse:{TestPolicy.Placeholder}"), WebSocketMessageType.Text, endOfMessage: true, Token);

        Encoding.UTF8.GetString((await Receive(socket)).Bytes).ShouldBe($"reverse:{new string([.. arrives.Reverse()])}");
    }

    [Theory]
    [InlineData(new byte[] { 0x81, 0x02, 0x68, 0x69 })]
    [InlineData(new byte[] { 0xC1, 0x82, 0, 0, 0, 0, 0x68, 0x69 })]
    [InlineData(new byte[] { 0x83, 0x82, 0, 0, 0, 0, 0x68, 0x69 })]
    [InlineData(new byte[] { 0x80, 0x82, 0, 0, 0, 0, 0x68, 0x69 })]
    [InlineData(new byte[] { 0x09, 0x80, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0 })]
    public async Task A_frame_that_breaks_the_protocol_ends_the_socket_and_goes_nowhere(byte[] frame)
    {
        var heard = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.SecWebSocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
            await using var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            try
            {
                heard.SetResult(await stream.ReadAsync(new byte[16], Token));
            }
            catch (IOException)
            {
                heard.SetResult(0);
            }
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin).WithWebSockets());
        await using var client = await RawClient.Tunnel(proxy);
        await client.Send(Question);
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 101");

        await client.Send(frame);

        (await client.ReadToEnd()).ShouldBe("");
        (await heard.Task.WaitAsync(Token)).ShouldBe(0);
    }

    /// <summary>Says every message back; one that begins with "reverse:" backwards, so that its answer holds nothing that is looked for.</summary>
    static Task<Origin> Echo() => Sockets(async socket =>
    {
        while (await Receive(socket) is (not WebSocketMessageType.Close, var bytes) message)
        {
            var answer = bytes.AsSpan().StartsWith("reverse:"u8) ? [.. bytes[..8], .. bytes[8..].Reverse()] : bytes;
            await socket.SendAsync(answer, message.Type, endOfMessage: true, Token);
        }
        await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, Token);
    });

    static Task<Origin> Sockets(Func<WebSocket, Task> speak) => Origin.Start(async context =>
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await speak(socket);
    });

    static async Task<ClientWebSocket> Open(SandboxProxy proxy, Action<ClientWebSocketOptions>? change = null)
    {
        var socket = new ClientWebSocket();
        change?.Invoke(socket.Options);
        await socket.ConnectAsync(new Uri("wss://api.vendor.test/socket"), proxy.Client(), Token);
        return socket;
    }

    static async Task<(WebSocketMessageType Type, byte[] Bytes)> Receive(WebSocket socket)
    {
        var all = new MemoryStream();
        var buffer = new byte[8192];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), Token);
            all.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return (part.MessageType, all.ToArray());
        }
    }
}
