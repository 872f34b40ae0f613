using System.Net;
using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Transforms;
using Centaur.Protocol.Policy.Templates;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class HmacSignTests
{
    const string Message = "{{ .Timestamp }}{{ .Method }}{{ .PathWithQuery }}{{ .Body }}";
    static readonly byte[] Key = [0, 1, 2, 250, 251, 252, 65, 66, 67, 68, 69, 70];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_signed_as_it_leaves_and_what_the_client_signed_is_dropped()
    {
        var received = new byte[] { 0, 255, 128, 10, 13 };
        await using var origin = await Exchange(verify: (timestamp, request, body) =>
            Convert.ToBase64String(Sign(HashAlgorithmName.SHA256, "raw-secret-value"u8.ToArray(), [.. Encoding.ASCII.GetBytes(timestamp + "POST/v1/a%2Fb?x=%20y"), .. body])));
        await using var proxy = await Start(origin, "algorithm: sha256", "timestamp: { format: unix_seconds }", "raw-secret-value");
        using var client = proxy.Client();
        client.DefaultRequestHeaders.Add("X-Signature", "forged");
        client.DefaultRequestHeaders.Add("X-Key", "forged");

        var answer = await client.PostAsync("https://api.vendor.test/v1/a%2Fb?x=%20y", new ByteArrayContent(received), Token);

        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("OK");
        var seen = origin.Seen.ShouldHaveSingleItem();
        seen.Headers["X-Key"].ShouldBe("id=hmac-key-id");
        seen.Headers["Content-Length"].ShouldBe("5");
        Math.Abs(long.Parse(seen.Headers["X-Timestamp"]) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()).ShouldBeLessThan(300);
    }

    [Theory]
    [InlineData("sha256", "hex", "hex", "unix_millis", 13)]
    [InlineData("sha512", "base64", "base64", "unix_nanos", 19)]
    [InlineData("sha1", "hex", "base64", "rfc3339", 20)]
    public async Task Every_algorithm_encoding_and_format_is_written_as_the_file_says(string algorithm, string keyEncoding, string outputEncoding, string format, int length)
    {
        await using var origin = await Exchange((timestamp, request, body) =>
        {
            byte[] message = [.. Encoding.ASCII.GetBytes(timestamp + "GET/v1?q")];
            var signature = Sign(new HashAlgorithmName(algorithm.ToUpperInvariant()), Key, message);
            return outputEncoding == "hex" ? Convert.ToHexStringLower(signature) : Convert.ToBase64String(signature);
        });
        var value = keyEncoding == "hex" ? Convert.ToHexString(Key) : Convert.ToBase64String(Key);
        await using var proxy = await Start(
            origin, $"algorithm: {algorithm}, key_encoding: {keyEncoding}, output_encoding: {outputEncoding}", $"timestamp: {{ format: {format} }}", value);
        using var client = proxy.Client();

        (await client.GetStringAsync("https://api.vendor.test/v1?q", Token)).ShouldBe("OK");
        origin.Seen.ShouldHaveSingleItem().Headers["X-Timestamp"].Length.ShouldBe(length);
    }

    /// <summary>RFC 2202, section 3, and RFC 4231, section 4.3: test case 2 of each.</summary>
    [Theory]
    [InlineData("SHA1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")]
    [InlineData("SHA256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    public void A_signature_is_that_of_the_rfc(string algorithm, string expected)
    {
        TextTemplate.TryParse("", [], out var message, out _).ShouldBeTrue();
        var model = new SignatureModel("rfc3339", new HashAlgorithmName(algorithm), "raw", "hex", message);

        model.Sign("Jefe"u8.ToArray(), "what do ya want for nothing?"u8.ToArray()).ShouldBe(expected);
        model.Format(new DateTimeOffset(2026, 1, 2, 4, 4, 5, TimeSpan.FromHours(1))).ShouldBe("2026-01-02T03:04:05Z");
    }

    [Fact]
    public async Task A_body_beyond_the_cap_is_refused_and_never_cut()
    {
        await using var origin = await Exchange((_, _, _) => "");
        await using var proxy = await Start(origin, "algorithm: sha256", "allow_chunked_body: true", "raw-secret-value", proxyKeys: ", max_request_body_bytes: 1000");
        using var client = proxy.Client();
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "https://api.vendor.test/") { Content = new ByteArrayContent(new byte[1001]) };
        chunked.Headers.TransferEncodingChunked = true;

        var declared = await client.PostAsync("https://api.vendor.test/", new ByteArrayContent(new byte[1001]), Token);
        var counted = await client.SendAsync(chunked, Token);

        foreach (var answer in new[] { declared, counted })
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
            answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["body_too_large"]);
        }

        origin.Seen.ShouldBeEmpty();
        (await client.PostAsync("https://api.vendor.test/", new ByteArrayContent(new byte[1000]), Token)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        origin.Seen.ShouldHaveSingleItem().Headers["Content-Length"].ShouldBe("1000");
    }

    [Fact]
    public async Task A_chunked_body_is_refused_where_it_is_not_allowed()
    {
        await using var origin = await Exchange((_, _, _) => "");
        await using var proxy = await Start(origin, "algorithm: sha256", "timestamp: {}", "raw-secret-value");
        using var client = proxy.Client();
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "https://api.vendor.test/") { Content = new ByteArrayContent(new byte[10]) };
        chunked.Headers.TransferEncodingChunked = true;

        (await client.SendAsync(chunked, Token)).Headers.GetValues("X-Centaur-Denied").ShouldBe(["chunked_body_not_allowed"]);
    }

    [Fact]
    public async Task P32_A_key_that_is_not_written_as_said_refuses_the_request()
    {
        await using var origin = await Exchange((_, _, _) => "");
        await using var proxy = await Start(origin, "algorithm: sha256, key_encoding: hex", "timestamp: {}", "raw-secret-value");
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await answer.Content.ReadAsStringAsync(Token)).ShouldNotContain("raw-secret-value");
        origin.Seen.ShouldBeEmpty();
    }

    static byte[] Sign(HashAlgorithmName algorithm, byte[] key, byte[] message)
    {
        using var hmac = IncrementalHash.CreateHMAC(algorithm, key);
        hmac.AppendData(message);
        return hmac.GetHashAndReset();
    }

    /// <summary>A server that says OK to the one right signature.</summary>
    static Task<Origin> Exchange(Func<string, HttpRequest, byte[], string> verify) => Origin.Start(async context =>
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var right = context.Request.Headers["X-Signature"] == verify(context.Request.Headers["X-Timestamp"].ToString(), context.Request, body.ToArray());
        context.Response.StatusCode = right ? 200 : 401;
        await context.Response.WriteAsync(right ? "OK" : "wrong signature", context.RequestAborted);
    });

    static Task<StandaloneProxy> Start(Origin origin, string signature, string more, string key, string proxyKeys = "") => StandaloneProxy.Start(
        $$$"""
          - name: hmac_sign
            config:
              signature: { message: "{{{Message}}}", {{{signature}}} }
              credentials: { secret: { type: env, var: HMAC_KEY }, id: { type: env, var: HMAC_ID } }
              headers:
                - { name: X-Signature, value: "{{ .Signature }}" }
                - { name: X-Timestamp, value: "{{ .Timestamp }}" }
                - { name: X-Key, value: "id={{ .Credentials.id }}" }
              rules: [{ host: {{{Origin.Host}}} }]
              {{{more}}}
        """,
        [(Origin.Host, origin, "HMAC_KEY, HMAC_ID")],
        new Dictionary<string, string> { ["HMAC_KEY"] = key, ["HMAC_ID"] = "hmac-key-id" }, proxyKeys);
}
