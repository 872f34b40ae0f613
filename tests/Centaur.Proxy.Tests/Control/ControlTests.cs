using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Control;

public sealed class ControlTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_policy_is_acknowledged_by_its_version_and_an_older_one_is_rejected()
    {
        await using var proxy = await SandboxProxy.Start();

        (await proxy.Offer(TestPolicy.Empty with { Version = 5 })).ShouldBe(new ProxyPolicyAcknowledged(5));
        (await proxy.Offer(TestPolicy.Empty with { Version = 4 })).ShouldBeOfType<ProxyPolicyRejected>().Message.ShouldContain("version 5");
        (await proxy.Offer(TestPolicy.Empty with { Version = 5 })).ShouldBe(new ProxyPolicyAcknowledged(5));
    }

    [Fact]
    public async Task A_policy_that_is_wrong_is_rejected_with_all_that_is_wrong_and_the_one_before_stays()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();

        var rejected = (await proxy.Offer(TestPolicy.Empty with
        {
            Version = 9,
            Allow = [new EgressRule("bad", ["ex ample"]) { Paths = ["v1"] }],
            Secrets = [new SecretGrant("S", "short", [new SecretBinding([])])],
            Map = [new UpstreamMap("x.test", 443, "not-an-ip", 443)],
        })).ShouldBeOfType<ProxyPolicyRejected>();

        foreach (var problem in new[] { "ex ample", "\"v1\"", "placeholder", "without a host", "not-an-ip" })
            rejected.Message.ShouldContain(problem);
        (await client.GetAsync("https://api.vendor.test/", Token)).IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task A_new_policy_holds_for_the_next_request_of_an_open_connection()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);
        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");

        await proxy.Enforce(TestPolicy.Empty);
        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: host_not_allowed");
    }

    [Fact]
    public async Task Nonsense_on_the_control_socket_is_rejected_and_the_next_line_is_read()
    {
        await using var proxy = await SandboxProxy.Start();

        proxy.Say("not json");
        (await proxy.NextNotice()).ShouldBeOfType<ProxyPolicyRejected>();
        proxy.Say("{\"type\":\"broker\"}");
        (await proxy.NextNotice()).ShouldBeOfType<ProxyPolicyRejected>().Message.ShouldContain("descriptor");
        (await proxy.Offer(TestPolicy.Empty)).ShouldBe(new ProxyPolicyAcknowledged(1));
    }

    [Fact]
    public async Task F45_the_proxy_ends_when_its_keeper_is_gone()
    {
        await using var proxy = await SandboxProxy.Start();

        proxy.CloseControl();

        await proxy.Process.WaitForExitAsync(Token);
        proxy.Process.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task The_proxy_ends_on_SIGTERM_with_requests_in_flight()
    {
        var arrived = new TaskCompletionSource();
        await using var origin = await Origin.Start(async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);
        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");
        await arrived.Task;

        Kernel.Kill(proxy.Process.Id, 15);

        await proxy.Process.WaitForExitAsync(Token);
        (await client.ReadToEnd()).ShouldBeEmpty();
    }

    [Fact]
    public async Task F37_the_process_leaves_no_core_and_no_other_process_of_the_user_reads_its_memory()
    {
        await using var proxy = await SandboxProxy.Start();

        // A process that is not dumpable belongs to root in /proc, whoever runs it.
        var owner = File.ReadAllText($"/proc/{proxy.Process.Id}/status");

        owner.ShouldContain("CoreDumping:\t0");
        proxy.Errors.ShouldNotContain("PRIVATE KEY");
        proxy.CaCertificate.ShouldStartWith("-----BEGIN CERTIFICATE-----");
        proxy.CaCertificate.ShouldNotContain("PRIVATE KEY");
    }
}
