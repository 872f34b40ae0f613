using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>A server that values come from, on loopback, over real TLS of an authority of its own. What it was asked is kept.</summary>
sealed class SourceServer : IAsyncDisposable
{
    readonly TestAuthority authority = new();
    readonly string authorityFile = Path.GetTempFileName();
    readonly WebApplication app;

    SourceServer(RequestDelegate handler)
    {
        File.WriteAllText(authorityFile, authority.Pem);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http1;
            listener.UseHttps(authority.Issue("localhost"));
        }));
        app = builder.Build();
        app.Run(async context =>
        {
            Seen.Enqueue(SeenRequest.Of(context.Request));
            await handler(context);
        });
    }

    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    public string Address => $"https://localhost:{new Uri(app.Urls.Single()).Port}";

    public string AuthorityFile => authorityFile;

    public static async Task<SourceServer> Start(RequestDelegate handler)
    {
        var server = new SourceServer(handler);
        await server.app.StartAsync();
        return server;
    }

    public static Task Json(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body);
    }

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
        File.Delete(authorityFile);
    }
}
