using System.Net;
using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>Addresses that nobody outside may be led to, where a rule names each of them exactly: the worst that a policy can say.</summary>
public sealed class AddressAttackTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task P01_F40_a_metadata_service_is_dialled_by_no_address_that_it_has() => NoneIsDialled(
        "169.254.169.254", "[fd00:ec2::254]", "[fd20:ce::254]", "168.63.129.16", "192.0.0.192", "100.100.100.200", "[fe80::a9fe:a9fe]");

    [Fact]
    public Task P02_F40_loopback_is_dialled_in_no_spelling() => NoneIsDialled(
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "[::1]", "[0:0:0:0:0:0:0:0]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "2130706433", "0177.0.0.1", "0x7f.1", "localhost", "localhost.");

    [Fact]
    public Task P03_F40_no_private_network_is_dialled_without_an_operators_map() => NoneIsDialled(
        "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "198.18.0.1", "[fc00::1]", "[fd12:3456::1]", "224.0.0.1", "255.255.255.255", "[ff02::1]", "[::ffff:10.0.0.1]");

    [Fact]
    public Task P04_the_credentials_of_containers_are_dialled_by_no_address() => NoneIsDialled("169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::ffff:169.254.170.2]", "[64:ff9b::a9fe:aa02]");

    [Fact]
    public async Task P33_what_listens_beside_the_proxy_is_not_reached_through_it()
    {
        using var beside = new TcpListener(IPAddress.IPv6Any, 0);
        beside.Server.DualMode = true;
        beside.Start();
        var port = ((IPEndPoint)beside.LocalEndpoint).Port;

        await NoneIsDialled(port, "127.0.0.1", "0.0.0.0", "[0:0:0:0:0:0:0:0]", "[::1]", "[::ffff:127.0.0.1]", "localhost");

        beside.Pending().ShouldBeFalse();
    }

    static Task NoneIsDialled(params string[] hosts) => NoneIsDialled(80, hosts);

    static async Task NoneIsDialled(int port, params string[] hosts)
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Allow = [new EgressRule("careless", hosts) { Ports = [port] }] });
        foreach (var host in hosts)
        {
            await using var client = await RawClient.Connect(proxy);
            await client.Send($"CONNECT {host}:{port} HTTP/1.1\r\n\r\n");
            (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200", Case.Sensitive, host);
            await client.Send($"GET /latest/meta-data/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");

            var answer = await client.ReadToEnd();

            answer.ShouldStartWith("HTTP/1.1 502", Case.Sensitive, host);
            answer.ShouldContain("X-Centaur-Denied: destination_ip_prohibited", Case.Sensitive, host);
            Token.ThrowIfCancellationRequested();
        }
    }
}
