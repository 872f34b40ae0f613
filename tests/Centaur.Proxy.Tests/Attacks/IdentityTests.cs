using System.Security.Authentication;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>One sandbox and its neighbour. Who a client is, is the socket that it was given; nothing that it says changes that.</summary>
public sealed class IdentityTests
{
    const string OtherPlaceholder = "CENTAUR-PLACEHOLDER-00d1f2e3c4b5a697";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P21_a_neighbours_placeholder_is_worth_nothing_here()
    {
        await using var ours = await KeyedProxy.Start(await Origin.Start(_ => Task.CompletedTask), key: "sk-of-this-sandbox-1");
        var theirs = await Origin.Start(_ => Task.CompletedTask);
        var policy = TestPolicy.WithKey(theirs);
        await using var neighbour = await KeyedProxy.Start(theirs, policy with { Secrets = [policy.Secrets[0] with { Placeholder = OtherPlaceholder }] }, "sk-of-that-sandbox-2");
        using var client = ours.Proxy.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + OtherPlaceholder);
        request.Headers.TryAddWithoutValidation("X-Api-Key", TestPolicy.Placeholder);

        await client.SendAsync(request, Token);

        var seen = ours.Origin.Seen.ShouldHaveSingleItem().Headers;
        seen["Authorization"].ShouldBe("Bearer " + OtherPlaceholder);
        seen["X-Api-Key"].ShouldBe("sk-of-this-sandbox-1");
        neighbour.Origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("CENTAUR-PLACEHOLDER-7f3a9c52e1d84b0")]
    [InlineData("centaur-placeholder-7f3a9c52e1d84b06")]
    [InlineData("VENDOR_KEY")]
    public async Task P21_a_guess_or_the_name_of_a_secret_is_only_text(string guess)
    {
        await using var keyed = await KeyedProxy.Start(await Origin.Start(_ => Task.CompletedTask));
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", guess);

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        keyed.Origin.Seen.ShouldAllBe(seen => seen.Headers["X-Api-Key"] == guess);
    }

    [Fact]
    public async Task P22_a_client_is_whom_its_socket_belongs_to_whatever_it_says()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var first = await SandboxProxy.Start(TestPolicy.To(origin) with { SandboxId = "sbx-first", Principal = "ada" });
        await using var second = await SandboxProxy.Start(TestPolicy.To(origin) with { SandboxId = "sbx-second", Principal = "bob" });
        foreach (var proxy in (SandboxProxy[])[first, second])
        {
            await using var client = await RawClient.Connect(proxy);
            await client.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\nProxy-Authorization: Basic c2J4LWZpcnN0OmFkYQ==\r\nX-Centaur-Sandbox: sbx-first\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n");
            (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
            await client.StartTls(Origin.Host);
            await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nProxy-Authorization: Basic c2J4LWZpcnN0OmFkYQ==\r\nConnection: close\r\n\r\n");
            (await client.ReadToEnd()).ShouldStartWith("HTTP/1.1 200");
        }

        var intent = await second.AuditRecord("intent");
        (intent.GetProperty("sandbox").GetString(), intent.GetProperty("principal").GetString()).ShouldBe(("sbx-second", "bob"));
        (await first.AuditRecord("intent")).GetProperty("sandbox").GetString().ShouldBe("sbx-first");
        origin.Seen.ShouldAllBe(seen => !seen.Headers.ContainsKey("Proxy-Authorization"));
    }

    [Fact]
    public async Task P31_the_certificates_of_one_sandbox_mean_nothing_in_another()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var ours = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var theirs = await SandboxProxy.Start(TestPolicy.To(origin));

        ours.CaCertificate.ShouldNotBe(theirs.CaCertificate);
        await Should.ThrowAsync<AuthenticationException>(() => RawClient.Tunnel(ours, trusted: theirs.CaCertificate));
        await using var good = await RawClient.Tunnel(ours);
    }

    [Fact]
    public async Task P31_a_leaf_is_made_for_no_host_that_is_not_allowed_or_passed_through()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Passthrough = [Origin.Host], Map = [origin.Map()] });

        await Should.ThrowAsync<InvalidOperationException>(() => RawClient.Tunnel(proxy, "evil.test"));
        await Should.ThrowAsync<AuthenticationException>(() => RawClient.Tunnel(proxy));
        await using var passed = await RawClient.Tunnel(proxy, trusted: origin.AuthorityPem);
    }

    [Fact]
    public async Task P31_the_authoritys_key_is_in_no_file_argument_or_variable()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);
        var folder = Path.GetDirectoryName(proxy.SocketPath)!;

        var told = await File.ReadAllTextAsync($"/proc/{proxy.Process.Id}/cmdline", Token) + proxy.Errors + proxy.CaCertificate
            + string.Concat(Directory.GetFiles(folder).Where(path => path.EndsWith(".ndjson", StringComparison.Ordinal)).Select(File.ReadAllText));

        told.ShouldNotContain("PRIVATE KEY");
    }
}
