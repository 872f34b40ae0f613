using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>A proxy that is cut off from where its values come from.</summary>
public sealed class BrokerLossTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F10_without_its_broker_a_proxy_serves_what_it_holds_for_as_long_as_it_may_and_then_fails_closed()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict(), ttlSeconds: 5);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);
        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);

        keyed.Broker.Process.Kill();
        await keyed.Broker.Process.WaitForExitAsync(Token);

        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var last = await LastAnswer(client);
        last.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        last.Headers.GetValues("X-Centaur-Denied").ShouldBe(["secret_unavailable"]);
    }

    [Fact]
    public async Task F10_a_request_without_a_value_goes_on_under_the_policy_that_was_last_acknowledged()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(_ => Task.CompletedTask));
        keyed.Broker.Process.Kill();
        await keyed.Broker.Process.WaitForExitAsync(Token);
        using var client = keyed.Proxy.Client();

        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://evil.test/", Token));
    }

    /// <summary>The first answer that is not good any more.</summary>
    static async Task<HttpResponseMessage> LastAnswer(HttpClient client)
    {
        while (true)
        {
            var answer = await client.GetAsync("https://api.vendor.test/", Token);
            if (answer.StatusCode != HttpStatusCode.OK)
                return answer;
            await Task.Delay(50, Token);
        }
    }
}
