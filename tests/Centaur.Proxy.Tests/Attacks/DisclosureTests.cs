using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>Ways to make the proxy itself tell a value.</summary>
public sealed class DisclosureTests
{
    const string Key = "sk-told-5f+/\"9e017c";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P29_F36_no_form_of_a_value_is_in_a_record_a_log_or_an_error_whatever_goes_wrong()
    {
        var origin = await Origin.Start(async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/abort", StringComparison.Ordinal))
                context.Abort();
            else
                await context.Response.WriteAsync($"no such key: {context.Request.Headers.Authorization} {context.Request.QueryString}", Token);
        });
        var everywhere = new SecretBinding([Origin.Host, "dead.vendor.test", "lost.vendor.test"]) { Headers = ["*"], Query = ["*"], InPath = true, InBody = true };
        var policy = TestPolicy.Allowing("*.vendor.test") with
        {
            Map = [origin.Map(secrets: TestPolicy.SecretName), new UpstreamMap("dead.vendor.test", 443, "127.0.0.1", 1) { Secrets = [TestPolicy.SecretName] }],
            Secrets = [new SecretGrant(TestPolicy.SecretName, TestPolicy.Placeholder, [everywhere])],
        };
        await using var keyed = await KeyedProxy.Start(origin, policy, Key);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + TestPolicy.Placeholder);
        var heard = new StringBuilder();
        foreach (var address in (string[])["https://api.vendor.test/a", "https://api.vendor.test/abort", "https://dead.vendor.test/b", "https://lost.vendor.test/c", "https://elsewhere.vendor.test/d"])
            heard.Append(await Ask(client, $"{address}?key={TestPolicy.Placeholder}")).Append(await Ask(client, $"{address[..^1]}{TestPolicy.Placeholder}/abort"));

        heard.Append(await File.ReadAllTextAsync(keyed.Proxy.AuditPath, Token)).Append(keyed.Proxy.Errors).Append(keyed.Broker.Errors);
        var told = heard.ToString();

        foreach (var form in (string[])[Key, Uri.EscapeDataString(Key), Uri.EscapeDataString(Key).ToLowerInvariant(), Key.Replace("\"", "\\\"", StringComparison.Ordinal), Convert.ToBase64String(Encoding.ASCII.GetBytes(Key))])
            told.ShouldNotContain(form);
        told.ShouldContain(TestPolicy.SecretName);
        origin.Seen.ShouldContain(seen => seen.Target.Contains(Uri.EscapeDataString(Key), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("base64")]
    [InlineData("utf-16")]
    public async Task F35_an_encoded_placeholder_in_a_body_is_never_swapped(string form)
    {
        var received = new TaskCompletionSource<byte[]>();
        var origin = await Origin.Start(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, Token);
            received.SetResult(body.ToArray());
        });
        await using var keyed = await KeyedProxy.Start(origin, TestPolicy.WithKey(origin, new SecretBinding([Origin.Host]) { InBody = true }), Key);
        using var client = keyed.Proxy.Client();
        var sent = Encode(form, "key=" + TestPolicy.Placeholder);

        using var answer = await client.PostAsync("https://api.vendor.test/", new ByteArrayContent(sent), Token);

        (await received.Task).ShouldBe(sent);
    }

    [Fact]
    public async Task P16_F34_a_credential_does_not_follow_a_redirect_to_another_host()
    {
        var origin = await Origin.Start(context =>
        {
            context.Response.Redirect($"https://other.vendor.test/?k={context.Request.Headers.Authorization}");
            return Task.CompletedTask;
        });
        await using var keyed = await KeyedProxy.Start(origin, TestPolicy.WithKey(origin, new SecretBinding([Origin.Host]) { Headers = ["authorization"] }), Key);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + TestPolicy.Placeholder);

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);
        using var followed = await client.GetAsync(answer.Headers.Location, Token);

        answer.Headers.Location!.ToString().ShouldNotContain("sk-told");
        followed.Headers.GetValues("X-Centaur-Denied").ShouldBe(["placeholder_not_bound"]);
        origin.Seen.ShouldHaveSingleItem().Headers["Host"].ShouldBe(Origin.Host);
    }

    static async Task<string> Ask(HttpClient client, string address)
    {
        using var answer = await client.GetAsync(address, Token);
        return answer.Headers + await answer.Content.ReadAsStringAsync(Token);
    }

    static byte[] Encode(string form, string text)
    {
        switch (form)
        {
            case "gzip":
                using (var packed = new MemoryStream())
                {
                    using (var packer = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
                        packer.Write(Encoding.ASCII.GetBytes(text));
                    return packed.ToArray();
                }

            case "base64":
                return Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.ASCII.GetBytes(text)));
            default:
                return Encoding.Unicode.GetBytes(text);
        }
    }
}
