using System.Security.Cryptography;
using System.Text;
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
