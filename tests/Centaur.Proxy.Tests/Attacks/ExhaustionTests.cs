using System.Net.Sockets;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>What one sandbox may take, at the limits that the program has.</summary>
public sealed class ExhaustionTests
{
    const int Connections = 1024;
    const int LeavesAMinute = 120;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P34_F45_of_many_connections_those_beyond_the_limit_are_told_429_and_the_others_serve()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var first = await RawClient.Tunnel(proxy);
        var silent = new List<RawClient>();
        try
        {
            while (silent.Count < Connections - 1)
                silent.Add(await Patiently(proxy));
            await using var next = await Patiently(proxy);

            var answer = await next.ReadToEnd();

            answer.ShouldStartWith("HTTP/1.1 429");
            answer.ShouldContain("X-Centaur-Denied: too_many_connections");
            answer.ShouldContain("Retry-After: 1");
            await first.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");
            (await first.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        }
        finally
        {
            foreach (var client in silent)
                await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task P34_certificates_for_ever_new_names_end_and_known_names_go_on()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("*.vendor.test") with { Map = [origin.Map()] });
        await using (await RawClient.Tunnel(proxy))
        {
        }

        var made = 0;
        // The allowance grows again while this goes on, so that some more than it are made.
        await Should.ThrowAsync<IOException>(async () =>
        {
            while (made < 3 * LeavesAMinute)
            {
                await using var tunnel = await RawClient.Tunnel(proxy, $"n{made}.vendor.test");
                made++;
            }
        });

        made.ShouldBeGreaterThanOrEqualTo(LeavesAMinute - 1);
        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("too_many_hosts");
        await using var known = await RawClient.Tunnel(proxy);
    }

    /// <summary>Connects when the listener's queue has room.</summary>
    static async Task<RawClient> Patiently(SandboxProxy proxy)
    {
        while (true)
        {
            try
            {
                return await RawClient.Connect(proxy);
            }
            catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
            {
                await Task.Delay(10, Token);
            }
        }
    }
}
