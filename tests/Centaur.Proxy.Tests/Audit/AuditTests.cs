using System.Security.Cryptography;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Audit;

public sealed class AuditTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_intent_is_in_the_file_before_the_origin_hears_of_the_request()
    {
        SandboxProxy proxy = null!;
        var seen = "";
        await using var origin = await Origin.Start(context =>
        {
            seen = File.ReadAllText(proxy.AuditPath);
            return Task.CompletedTask;
        });
        await using var started = proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using var client = proxy.Client();

        await client.GetAsync("https://api.vendor.test/v1/x?token=hidden", Token);

        seen.ShouldContain("\"kind\":\"intent\"");
        seen.ShouldContain("\"path\":\"/v1/x\"");
        seen.ShouldNotContain("hidden");
        var intent = await proxy.AuditRecord("intent");
        intent.GetProperty("sandbox").GetString().ShouldBe("sbx-test");
        intent.GetProperty("thread").GetString().ShouldBe("thread-1");
        intent.GetProperty("turn").GetString().ShouldBe("turn-1");
        intent.GetProperty("principal").GetString().ShouldBe("ada");
        intent.GetProperty("rule").GetString().ShouldBe("test");
        var outcome = await proxy.AuditRecord("outcome");
        outcome.GetProperty("id").GetString().ShouldBe(intent.GetProperty("id").GetString());
        outcome.GetProperty("status").GetInt32().ShouldBe(200);
    }

    [Fact]
    public async Task The_chain_holds_over_a_restart_and_breaks_where_a_line_is_changed()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        var authority = proxy.CaCertificate;
        using (var client = proxy.Client())
            await client.GetAsync("https://api.vendor.test/1", Token);
        await proxy.AuditRecord("outcome");
        await File.AppendAllTextAsync(proxy.AuditPath, "{\"kind\":\"torn", Token);

        await proxy.Restart();
        await proxy.Enforce(TestPolicy.To(origin));
        using (var client = proxy.Client())
            await client.GetAsync("https://api.vendor.test/2", Token);

        proxy.CaCertificate.ShouldBe(authority);
        while (proxy.Audit().Count < 4)
            await Task.Delay(5, Token);
        var lines = await File.ReadAllLinesAsync(proxy.AuditPath, Token);
        FirstBreak(lines).ShouldBe(-1);
        lines[1] = lines[1].Replace("200", "201", StringComparison.Ordinal);
        FirstBreak(lines).ShouldBe(1);
    }

    [Fact]
    public async Task F45_where_the_intent_cannot_be_written_nothing_is_sent()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.StartWithAudit("/dev/full");
        await proxy.Enforce(TestPolicy.To(origin));
        using var client = proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        ((int)answer.StatusCode).ShouldBe(503);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["audit_unavailable"]);
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("?q=first+words&page=2", "q=…&page=…")]
    [InlineData("?ghp_0123456789&=lonely&a=b=c", "…&…&a=…")]
    [InlineData("?empty=&&last=%0A%22", "empty=…&last=…")]
    public async Task The_names_of_query_parameters_are_recorded_and_no_value_is(string query, string recorded)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin) with { Allow = [new EgressRule("test", [Origin.Host]) { Paths = ["/v1/*"] }] });
        using var client = proxy.Client();

        await client.GetAsync("https://api.vendor.test/v1/x" + query, Token);
        await client.GetAsync("https://api.vendor.test/v2/x" + query, Token);

        var (intent, refusal) = (await proxy.AuditRecord("intent"), await proxy.AuditRecord("refusal"));
        (intent.GetProperty("path").GetString(), intent.GetProperty("query").GetString()).ShouldBe(("/v1/x", recorded));
        (refusal.GetProperty("path").GetString(), refusal.GetProperty("query").GetString()).ShouldBe(("/v2/x", recorded));
        refusal.GetProperty("cause").GetString().ShouldBe("route_not_allowed");
        File.ReadAllText(proxy.AuditPath).ShouldNotContain("ghp_0123456789");
    }

    [Fact]
    public async Task What_a_client_chose_is_cut_and_breaks_no_line()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin) with { Principal = "ada\n{\"kind\":\"intent\"}\u001b[2J" + new string('x', 10_000) });
        using var client = proxy.Client();

        using var request = new HttpRequestMessage(new HttpMethod(new string('M', 1000)), $"https://api.vendor.test/{new string('p', 5000)}?{new string('n', 3000)}=1");
        await client.SendAsync(request, Token);

        var intent = await proxy.AuditRecord("intent");
        intent.GetProperty("method").GetString()!.Length.ShouldBe(256);
        intent.GetProperty("path").GetString()!.Length.ShouldBe(2048);
        intent.GetProperty("query").GetString().ShouldBe(new string('n', 100) + "=…");
        intent.GetProperty("principal").GetString()!.Length.ShouldBe(256);
        await proxy.AuditRecord("outcome");
        FirstBreak(await File.ReadAllLinesAsync(proxy.AuditPath, Token)).ShouldBe(-1);
        File.ReadAllText(proxy.AuditPath).ShouldNotContain("\u001b");
    }

    [Fact]
    public async Task A_refusal_names_the_secret_whose_placeholder_stood_where_it_is_not_bound()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.WithKey(origin));
        using var client = proxy.Client();

        await client.GetAsync($"https://api.vendor.test/steal?to={TestPolicy.Placeholder}", Token);

        var refusal = await proxy.AuditRecord("refusal");
        refusal.GetProperty("secrets").EnumerateArray().Select(name => name.GetString()).ShouldBe([TestPolicy.SecretName]);
        refusal.GetProperty("cause").GetString().ShouldBe("placeholder_not_bound");
        refusal.GetProperty("query").GetString().ShouldBe("to=…");
        refusal.GetProperty("principal").GetString().ShouldBe("ada");
    }

    [Fact]
    public async Task The_requests_of_a_proxy_that_starts_anew_are_not_taken_for_those_of_the_one_before()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        using (var client = proxy.Client())
            await client.GetAsync("https://api.vendor.test/", Token);
        await proxy.AuditRecord("outcome");
        await proxy.Restart();
        await proxy.Enforce(TestPolicy.To(origin));
        using (var client = proxy.Client())
            await client.GetAsync("https://api.vendor.test/", Token);
        while (proxy.Audit().Count < 4)
            await Task.Delay(5, Token);

        var ids = proxy.Audit().Select(record => record.GetProperty("id").GetString()).ToList();

        ids.ShouldBe([ids[0], ids[0], ids[2], ids[2]]);
        ids[0].ShouldNotBe(ids[2]);
    }

    /// <summary>A verifier of its own, from the format's description.</summary>
    static int FirstBreak(string[] lines)
    {
        var previous = new byte[32];
        for (var i = 0; i < lines.Length; i++)
        {
            var cut = lines[i].LastIndexOf(",\"hash\":\"", StringComparison.Ordinal);
            var hash = SHA256.HashData([.. previous, .. Encoding.UTF8.GetBytes(lines[i][..cut])]);
            if (lines[i][(cut + 9)..^2] != Convert.ToHexStringLower(hash))
                return i;
            previous = hash;
        }

        return -1;
    }
}
