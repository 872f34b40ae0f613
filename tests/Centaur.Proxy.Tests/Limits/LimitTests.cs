using System.Diagnostics;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Limits;

public sealed class LimitTests
{
    const string Get = "GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P34_a_connection_beyond_the_limit_is_told_429_and_one_that_ends_makes_room()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await LimitedProxy.Start(new ProxyLimits { Connections = 2 }, TestPolicy.To(origin));
        await using var first = await proxy.Tunnel();
        await using (await proxy.Tunnel())
        {
            await using var third = await proxy.Connect();

            var answer = await third.ReadToEnd();

            answer.ShouldStartWith("HTTP/1.1 429 Too Many Requests\r\n");
            answer.ShouldContain("X-Centaur-Denied: too_many_connections\r\n");
            answer.ShouldContain("Retry-After: 1\r\n");
        }

        // The place is free when the proxy has seen the connection end, and not before.
        while (true)
        {
            await using var next = await proxy.Connect();
            await next.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n");
            if ((await next.ReadHead()).StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                break;
            Token.ThrowIfCancellationRequested();
        }

        await first.Send(Get);
        (await first.ReadHead()).ShouldStartWith("HTTP/1.1 200");
    }

    [Fact]
    public async Task P34_a_request_beyond_the_limit_is_answered_429_and_its_connection_serves_again()
    {
        var arrived = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var origin = await Origin.Start(_ =>
        {
            arrived.TrySetResult();
            return release.Task;
        });
        await using var proxy = await LimitedProxy.Start(new ProxyLimits { ConcurrentRequests = 1 }, TestPolicy.To(origin));
        await using var busy = await proxy.Tunnel();
        await using var other = await proxy.Tunnel();
        await busy.Send(Get);
        await arrived.Task.WaitAsync(Token);

        await other.Send(Get);
        var refused = await other.ReadHead();
        refused.ShouldStartWith("HTTP/1.1 429");
        refused.ShouldContain("X-Centaur-Denied: too_many_requests");
        await other.ReadSome(ContentLength(refused));
        release.SetResult();
        (await busy.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        await other.Send(Get);

        (await other.ReadHead()).ShouldStartWith("HTTP/1.1 200");
    }

    [Theory]
    [InlineData("")]
    [InlineData("CONN")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n\u0016\u0003\u0001")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: api")]
    public async Task P25_a_head_that_does_not_come_to_its_end_in_time_ends_the_connection(string beginning)
    {
        await using var proxy = await LimitedProxy.Start(new ProxyLimits { HeadTimeout = TimeSpan.FromSeconds(1) }, TestPolicy.Allowing(Origin.Host));
        await using var client = await proxy.Connect();
        var started = Stopwatch.GetTimestamp();

        await client.Send(beginning);
        var answer = await client.ReadToEnd().WaitAsync(TimeSpan.FromSeconds(20), Token);

        Stopwatch.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromSeconds(0.9));
        answer.Replace("HTTP/1.1 200 Connection Established\r\n\r\n", "", StringComparison.Ordinal).ShouldNotContain("HTTP/1.1 200");
    }

    [Fact]
    public async Task P25_a_request_head_inside_TLS_has_the_same_time()
    {
        await using var proxy = await LimitedProxy.Start(new ProxyLimits { HeadTimeout = TimeSpan.FromSeconds(1) }, TestPolicy.Allowing(Origin.Host));
        await using var client = await proxy.Tunnel();

        await client.Send("GET / HTTP/1.1\r\nHost: api");

        (await client.ReadToEnd().WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldStartWith("HTTP/1.1 408");
    }

    static int ContentLength(string head) =>
        int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
}
