using System.Collections.Concurrent;
using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Vendors;

/// <summary>A real TLS server on loopback that stands for several vendors, each under its own name, over HTTP/1.1 and HTTP/2. What it received is kept.</summary>
internal sealed class VendorOrigin : IAsyncDisposable
{
    readonly WebApplication app;
    readonly TestAuthority authority;

    VendorOrigin(WebApplication app, TestAuthority authority) => (this.app, this.authority) = (app, authority);

    public ConcurrentQueue<VendorRequest> Seen { get; } = new();

    public int Port => new Uri(app.Urls.Single()).Port;

    public string AuthorityPem => authority.Pem;

    /// <param name="vendors">What each name answers.</param>
    public static async Task<VendorOrigin> Start(IReadOnlyDictionary<string, RequestDelegate> vendors, CancellationToken cancellationToken)
    {
        var trust = new TestAuthority();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Listen(IPAddress.Loopback, 0, listener => listener.UseHttps(trust.Issue([.. vendors.Keys])));
        });
        var server = builder.Build();
        var origin = new VendorOrigin(server, trust);
        server.Run(context =>
        {
            origin.Seen.Enqueue(VendorRequest.Of(context.Request));
            return vendors[context.Request.Host.Host](context);
        });
        await server.StartAsync(cancellationToken);
        return origin;
    }

    /// <summary>What one vendor received, oldest first.</summary>
    public IReadOnlyList<VendorRequest> Received(string host) => [.. Seen.Where(request => request.Host == host)];

    /// <summary>An operator's entries that lead these names here.</summary>
    public string Map(string caFile, IReadOnlyDictionary<string, string[]> secretsOfHosts) =>
        string.Join('\n', secretsOfHosts.Select(pair =>
            $"    - {{ host: {pair.Key}, port: 443, address: 127.0.0.1, target_port: {Port}, ca_file: {caFile}, secrets: [{string.Join(", ", pair.Value)}] }}"));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Connections that a proxy keeps.
        }

        await app.DisposeAsync();
        authority.Dispose();
    }
}

/// <summary>The head of a request as a vendor received it.</summary>
internal sealed record VendorRequest(string Host, string Method, string Target, string Protocol, IReadOnlyDictionary<string, string> Headers)
{
    public static VendorRequest Of(HttpRequest request) => new(
        request.Host.Host,
        request.Method,
        request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget,
        request.Protocol,
        request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
}
