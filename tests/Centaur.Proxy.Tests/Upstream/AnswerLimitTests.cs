using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Upstream;

/// <summary><c>max_response_body_bytes</c> and <c>upstream_response_header_timeout</c>.</summary>
public sealed class AnswerLimitTests
{
    const int Most = 100_000;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_that_says_that_it_is_too_large_is_refused()
    {
        await using var origin = await Origin.Start(async context =>
        {
            context.Response.ContentLength = Most + 1;
            await context.Response.Body.WriteAsync(new byte[Most + 1]);
        });
        await using var proxy = await Start(origin, $"max_response_body_bytes: {Most}");
        using var client = await proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["response_too_large"]);
        (await proxy.Record("outcome")).GetProperty("cause").GetString().ShouldBe("response_too_large");
    }

    [Fact]
    public async Task P26_an_answer_that_grows_too_large_breaks_off_and_never_looks_whole()
    {
        await using var origin = await Origin.Start(async context =>
        {
            for (var i = 0; i < 4; i++)
            {
                await context.Response.Body.WriteAsync(new byte[Most / 2]);
                await context.Response.Body.FlushAsync();
            }
        });
        await using var proxy = await Start(origin, $"max_response_body_bytes: {Most}");
        using var client = await proxy.Client();

        // As a failed answer where nothing had left, else as a broken one.
        try
        {
            using var answer = await client.GetAsync("https://api.vendor.test/", Token);
            answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["response_too_large"]);
        }
        catch (HttpRequestException broken)
        {
            broken.InnerException.ShouldBeAssignableTo<IOException>();
        }

        (await proxy.Record("outcome")).GetProperty("cause").GetString().ShouldBe("response_too_large");
    }

    [Fact]
    public async Task An_answer_of_exactly_that_size_passes()
    {
        await using var origin = await Origin.Start(context => context.Response.Body.WriteAsync(new byte[Most]).AsTask());
        await using var proxy = await Start(origin, $"max_response_body_bytes: {Most}");
        using var client = await proxy.Client();

        (await client.GetByteArrayAsync("https://api.vendor.test/", Token)).Length.ShouldBe(Most);
    }

    [Fact]
    public async Task An_upstream_that_does_not_begin_its_answer_in_time_is_a_failure()
    {
        var release = new TaskCompletionSource();
        await using var origin = await Origin.Start(async context => await release.Task.WaitAsync(context.RequestAborted));
        await using var proxy = await Start(origin, "upstream_response_header_timeout: 300ms");
        using var client = await proxy.Client();

        using var answer = await client.PostAsync("https://api.vendor.test/", new StringContent("question"), Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["http_response_timeout"]);
        (await proxy.Record("outcome")).GetProperty("cause").GetString().ShouldBe("http_response_timeout");
        release.SetResult();
    }

    [Fact]
    public async Task The_time_counts_from_the_end_of_the_request_and_not_for_the_body_of_the_answer()
    {
        await using var origin = await Origin.Start(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync("begun ");
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(900));
            await context.Response.WriteAsync("ended");
        });
        await using var proxy = await Start(origin, "upstream_response_header_timeout: 600ms");
        using var client = await proxy.Client();

        using var answer = await client.PostAsync("https://api.vendor.test/", new SlowContent(), Token);

        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("begun ended");
    }

    static Task<ConfiguredProxy> Start(Origin origin, string keys) => ConfiguredProxy.Start(
        $$"""
        proxy: { tunnel_listen: "127.0.0.1:0", {{keys}} }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        audit: { file: audit.ndjson }
        transforms: [{ name: allowlist, config: { domains: [{{Origin.Host}}] } }]
        map: [{ host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem }]
        """,
        new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem });

    /// <summary>Takes longer than the upstream may.</summary>
    sealed class SlowContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < 3; i++)
            {
                await stream.WriteAsync("part"u8.ToArray());
                await stream.FlushAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(400));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
