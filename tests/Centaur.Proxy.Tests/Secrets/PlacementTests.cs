using System.Net;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Secrets;

public sealed class PlacementTests
{
    const string Key = "sk-real-00112233445566";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    static Task<KeyedProxy> Start(Origin origin, SecretBinding binding) => KeyedProxy.Start(origin, TestPolicy.WithKey(origin, binding), Key);

    [Fact]
    public async Task F33_P20_a_placeholder_to_an_unbound_host_is_refused_by_name()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] });
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);

        using var answer = await client.GetAsync("https://other.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["placeholder_not_bound"]);
        var reason = await answer.Content.ReadAsStringAsync(Token);
        reason.ShouldContain("VENDOR_KEY");
        reason.ShouldNotContain(TestPolicy.Placeholder);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task F35_only_the_bound_header_is_swapped()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["x-api-key", "/^x-goog-/"] });
        using var client = keyed.Proxy.Client();

        (await Get(client, "X-Api-Key", TestPolicy.Placeholder)).ShouldBe(HttpStatusCode.OK);
        (await Get(client, "X-Goog-Api-Key", TestPolicy.Placeholder)).ShouldBe(HttpStatusCode.OK);
        (await Get(client, "Cookie", "session=" + TestPolicy.Placeholder)).ShouldBe(HttpStatusCode.Forbidden);
        (await Get(client, "Referer", "https://x.test/" + TestPolicy.Placeholder)).ShouldBe(HttpStatusCode.Forbidden);

        origin.Seen.Select(seen => seen.Headers.GetValueOrDefault("X-Api-Key") ?? seen.Headers["X-Goog-Api-Key"]).ShouldBe([Key, Key]);
    }

    [Fact]
    public async Task F35_basic_credentials_are_looked_into_and_stay_basic()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] });
        using var client = keyed.Proxy.Client();

        (await Get(client, "Authorization", "Basic " + Base64("x-access-token:" + TestPolicy.Placeholder))).ShouldBe(HttpStatusCode.OK);
        using var elsewhere = new HttpRequestMessage(HttpMethod.Get, "https://other.vendor.test/");
        elsewhere.Headers.TryAddWithoutValidation("Authorization", "Basic " + Base64("x:" + TestPolicy.Placeholder));
        (await client.SendAsync(elsewhere, Token)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        origin.Seen.ShouldHaveSingleItem().Headers["Authorization"].ShouldBe("Basic " + Base64("x-access-token:" + Key));
    }

    [Theory]
    [InlineData("/v1/x?key=" + TestPolicy.Placeholder + "&b=%20a", HttpStatusCode.OK, "/v1/x?key=" + Key + "&b=%20a")]
    [InlineData("/v1/x?other=" + TestPolicy.Placeholder, HttpStatusCode.Forbidden, null)]
    [InlineData("/v1/x?" + TestPolicy.Placeholder + "=1", HttpStatusCode.Forbidden, null)]
    [InlineData("/v2/x?key=" + TestPolicy.Placeholder, HttpStatusCode.Forbidden, null)]
    [InlineData("/v1/" + TestPolicy.Placeholder, HttpStatusCode.Forbidden, null)]
    [InlineData("/v1/x?key=%43ENTAUR-PLACEHOLDER-7f3a9c52e1d84b06", HttpStatusCode.Forbidden, null)]
    [InlineData("/v1/x?key=%252543ENTAUR-PLACEHOLDER-7f3a9c52e1d84b06", HttpStatusCode.Forbidden, null)]
    [InlineData("/v1/x?key=100%", HttpStatusCode.OK, "/v1/x?key=100%")]
    public async Task F35_a_query_is_swapped_in_its_bound_parameter_alone(string target, HttpStatusCode status, string? arrived)
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Query = ["key"], Paths = ["/v1/*"] });
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send($"GET {target} HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith($"HTTP/1.1 {(int)status}");
        origin.Seen.Select(seen => seen.Target).ShouldBe(arrived is null ? [] : [arrived]);
        File.ReadAllText(keyed.Proxy.AuditPath).ShouldNotContain(Key);
    }

    [Theory]
    [InlineData(TestPolicy.Placeholder + " / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n" + TestPolicy.Placeholder + ": 1\r\n\r\n")]
    public async Task F35_a_placeholder_never_leaves_as_a_method_or_as_the_name_of_a_header(string request)
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] });
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send(request);

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 403");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task F34_whoever_sends_a_credential_gets_the_answer_whole_because_no_scan_knows_a_piece_of_a_value()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] });
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Range = new System.Net.Http.Headers.RangeHeaderValue(0, 9);

        await client.GetAsync("https://api.vendor.test/file", Token);
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);
        await client.GetAsync("https://api.vendor.test/file", Token);

        origin.Seen.Select(seen => seen.Headers.ContainsKey("Range")).ShouldBe([true, false]);
    }

    [Fact]
    public async Task F35_a_path_is_swapped_where_it_is_bound()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { InPath = true });
        using var client = keyed.Proxy.Client();

        (await client.GetAsync($"https://api.vendor.test/bot{TestPolicy.Placeholder}/send", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);

        origin.Seen.ShouldHaveSingleItem().Target.ShouldBe($"/bot{Key}/send");
        (await keyed.Proxy.AuditRecord("intent")).GetProperty("path").GetString().ShouldBe($"/bot{TestPolicy.Placeholder}/send");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F35_a_body_is_inert_text_unless_it_is_bound_even_split_over_chunks(bool bound)
    {
        var received = new TaskCompletionSource<string>();
        var origin = await Origin.Start(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.SetResult(await reader.ReadToEndAsync(Token));
        });
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"], InBody = bound });
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked\r\n\r\n");
        foreach (var piece in new[] { "{\"key\":\"", TestPolicy.Placeholder[..9], TestPolicy.Placeholder[9..], "\"}" })
            await client.Send($"{piece.Length:x}\r\n{piece}\r\n");
        await client.Send("0\r\n\r\n");
        await client.ReadHead();

        (await received.Task).ShouldBe($"{{\"key\":\"{(bound ? Key : TestPolicy.Placeholder)}\"}}");
        var outcome = await keyed.Proxy.AuditRecord("outcome");
        outcome.TryGetProperty("inert_placeholders", out var count).ShouldBe(!bound);
        if (!bound)
            count.GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task P17_a_value_never_travels_in_clear_text_unless_the_operator_mapped_it_so()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        var policy = TestPolicy.WithKey(origin) with { Map = [origin.Map(port: 80, secrets: TestPolicy.SecretName)] };
        await using var keyed = await KeyedProxy.Start(origin, policy, Key);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("X-Api-Key", TestPolicy.Placeholder);

        (await client.GetAsync("http://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await keyed.Proxy.Enforce(policy with { Map = [] });
        using var refused = await client.GetAsync("http://api.vendor.test/", Token);

        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        refused.Headers.GetValues("X-Centaur-Denied").ShouldBe(["placeholder_in_cleartext"]);
    }

    [Fact]
    public async Task A_mapped_upstream_receives_only_the_secrets_that_its_entry_names()
    {
        var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await KeyedProxy.Start(origin, TestPolicy.WithKey(origin) with { Map = [origin.Map()] }, Key);
        using var client = keyed.Proxy.Client();

        (await Get(client, "X-Api-Key", TestPolicy.Placeholder)).ShouldBe(HttpStatusCode.Forbidden);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P23_an_injected_header_cannot_be_stripped_by_naming_it_in_Connection()
    {
        var origin = await Origin.StartStrict(Key);
        await using var keyed = await Start(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] });
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send($"GET / HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: x-other\r\nAuthorization: Bearer {TestPolicy.Placeholder}\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
    }

    static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    static async Task<HttpStatusCode> Get(HttpClient client, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/v1/x");
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await client.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
