using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding;

public sealed class CredentialTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_placeholder_becomes_the_real_key_on_its_way_to_the_bound_host()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);

        var answer = await client.GetAsync("https://api.vendor.test/v1/models", Token);

        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("OK");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        keyed.Origin.Seen.ShouldHaveSingleItem().Headers["Authorization"].ShouldBe("Bearer " + Origin.RealKey);
        File.ReadAllText(keyed.Proxy.AuditPath).ShouldNotContain("sk-real");
        keyed.Proxy.Errors.ShouldNotContain("sk-real");
        keyed.Broker.Errors.ShouldNotContain("sk-real");
    }

    [Fact]
    public async Task Without_the_swap_the_strict_origin_says_401()
    {
        await using var origin = await Origin.StartStrict();
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);

        var answer = await client.GetAsync("https://api.vendor.test/v1/models", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
