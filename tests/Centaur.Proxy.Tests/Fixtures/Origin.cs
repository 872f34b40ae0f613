using System.Collections.Concurrent;
using Centaur.Protocol.Policy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A real TLS server on loopback, reached through the map under a vendor's name. What it saw is kept.</summary>
sealed class Origin : IAsyncDisposable
{
    public const string Host = "api.vendor.test";

    /// <summary>An address that is public, as far as the proxy can tell. Nothing here ever dials it.</summary>
    public const string PublicAddress = "93.184.216.34";

    public const string RealKey = "sk-real-0123456789+/\"abc";

    readonly WebApplication app;
    readonly TestAuthority authority;

    Origin(WebApplication app, TestAuthority authority, bool plaintext)
    {
        this.app = app;
        this.authority = authority;
        Plaintext = plaintext;
    }

    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    public bool Plaintext { get; }

    public string AuthorityPem => authority.Pem;

    public int Port => new Uri(app.Urls.Single()).Port;

    /// <summary>An origin that refuses whatever does not carry the real key, and says OK to what does.</summary>
    public static Task<Origin> StartStrict(string key = RealKey) => Start(async context =>
    {
        if (context.Request.Headers.Authorization != "Bearer " + key)
        {
            context.Response.StatusCode = 401;
            await context.Response.WriteAsync("invalid key");
            return;
        }

        await context.Response.WriteAsync("OK");
    });

    public static async Task<Origin> Start(RequestDelegate handler, bool plaintext = false, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        var trust = new TestAuthority();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            options.Listen(System.Net.IPAddress.Loopback, 0, listener =>
            {
                listener.Protocols = plaintext ? HttpProtocols.Http1 : protocols;
                if (!plaintext)
                    listener.UseHttps(trust.Issue(Host, "other.vendor.test", "unbound.test", PublicAddress));
            });
        });
        var server = builder.Build();
        var origin = new Origin(server, trust, plaintext);
        server.UseWebSockets();
        server.Run(async context =>
        {
            origin.Seen.Enqueue(SeenRequest.Of(context.Request));
            await handler(context);
        });
        await server.StartAsync();
        return origin;
    }

    /// <summary>The operator's entry that leads a name here.</summary>
    public UpstreamMap Map(string host = Host, int port = 443, params string[] secrets) => new(host, port, "127.0.0.1", Port)
    {
        CaCertificate = Plaintext ? null : authority.Pem,
        Plaintext = Plaintext,
        Secrets = secrets,
    };

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Requests that hang on purpose.
        }

        await app.DisposeAsync();
        authority.Dispose();
    }
}

/// <summary>The head of a request as the origin saw it.</summary>
sealed record SeenRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Protocol)
{
    public static SeenRequest Of(HttpRequest request) => new(
        request.Method,
        request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget,
        request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        request.Protocol);
}
