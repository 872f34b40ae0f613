using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>Names whose owner answers as it pleases him, before a proxy that has no network: a vetted address is tried there, and found unreachable.</summary>
public sealed class RebindingTests
{
    const string Public = "93.184.216.34";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P05_F40_a_name_that_leads_elsewhere_the_second_time_is_vetted_anew_and_not_dialled()
    {
        using var hosts = new HostsFile($"{Public} rebind.test");
        await using var proxy = await SandboxProxy.StartWithHosts(hosts.Path);
        await proxy.Enforce(TestPolicy.Allowing("rebind.test"));
        using var client = proxy.Client();
        (await Denied(client, "https://rebind.test/")).ShouldBe("connection_refused");

        foreach (var address in (string[])["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
        {
            hosts.Say($"{address} rebind.test");
            (await Denied(client, "https://rebind.test/")).ShouldBe("destination_ip_prohibited", address);
        }
    }

    [Theory]
    [InlineData(Public, "127.0.0.1")]
    [InlineData("10.0.0.1", Public)]
    [InlineData("2606:4700:4700::1111", "::1")]
    public async Task P05_one_address_that_is_not_public_spoils_the_whole_answer(string first, string second)
    {
        using var hosts = new HostsFile($"{first} mixed.test\n{second} mixed.test");
        await using var proxy = await SandboxProxy.StartWithHosts(hosts.Path);
        await proxy.Enforce(TestPolicy.Allowing("mixed.test"));
        using var client = proxy.Client();

        (await Denied(client, "https://mixed.test/")).ShouldBe("destination_ip_prohibited");
    }

    static async Task<string> Denied(HttpClient client, string address)
    {
        using var answer = await client.GetAsync(address, Token);
        return answer.Headers.GetValues("X-Centaur-Denied").Single();
    }

    /// <summary>Written in place, since the program sees this very file.</summary>
    sealed class HostsFile : IDisposable
    {
        public HostsFile(string text) => Say(text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Say(string text) => File.WriteAllText(Path, text + "\n");

        public void Dispose() => File.Delete(Path);
    }
}
