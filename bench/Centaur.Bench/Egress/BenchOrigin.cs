using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Centaur.Bench.Installation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Centaur.Bench.Egress;

/// <summary>
/// What every request ends at, over TLS on loopback: nginx where it is installed, because it takes the least of the machine from what is measured, else Kestrel in
/// this process. Streams always come from Kestrel, which can wait between two chunks.
/// </summary>
internal sealed class BenchOrigin : IAsyncDisposable
{
    public const string Host = "localhost";
    public const string Small = "/small";
    public const string Large = "/large";
    public const string Streamed = "/stream";
    const int SmallBytes = 1024;
    const int LargeBytes = 1 << 20;
    static readonly TimeSpan BetweenChunks = TimeSpan.FromMilliseconds(20);

    readonly WebApplication kestrel;
    readonly Process? nginx;

    BenchOrigin(WebApplication kestrel, Process? nginx, int nginxPort, int http2Port)
    {
        this.kestrel = kestrel;
        this.nginx = nginx;
        StreamPort = new Uri(kestrel.Urls.First()).Port;
        Port = nginx is null ? StreamPort : nginxPort;
        Http2Port = nginx is null ? new Uri(kestrel.Urls.Last()).Port : http2Port;
    }

    public int Port { get; }

    /// <summary>The same over HTTP/2.</summary>
    public int Http2Port { get; }

    public int StreamPort { get; }

    /// <summary>Every port that a proxy must lead to.</summary>
    public IEnumerable<int> Ports => new[] { Port, Http2Port, StreamPort }.Distinct();

    public string Name => nginx is null ? "Kestrel" : "nginx";

    public static async Task<BenchOrigin> Start(string folder, BenchAuthority authority, CancellationToken cancellationToken)
    {
        var pem = Path.Combine(folder, "origin.pem");
        await File.WriteAllTextAsync(pem, authority.Issue(Host), cancellationToken);
        var streams = await Kestrel(pem, cancellationToken);
        if (BenchNginx.Program is not { } program)
            return new BenchOrigin(streams, null, 0, 0);
        await File.WriteAllBytesAsync(folder + Small, Enumerable.Repeat((byte)'s', SmallBytes).ToArray(), cancellationToken);
        await File.WriteAllBytesAsync(folder + Large, Enumerable.Repeat((byte)'l', LargeBytes).ToArray(), cancellationToken);
        var (port, http2Port) = (FreePort(), FreePort());
        var files = await BenchNginx.Start(program, folder, "files", BenchNginx.Files(folder, port, http2Port), [port, http2Port], cancellationToken);
        return new BenchOrigin(streams, files, port, http2Port);
    }

    /// <summary>For programs that cannot choose a port themselves.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until somebody listens.</summary>
    public static async Task Answers(int port, Process process, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                return;
            }
            catch (SocketException) when (!process.HasExited)
            {
                await Task.Delay(20, cancellationToken);
            }
        }
    }

    static async Task<WebApplication> Kestrel(string pem, CancellationToken cancellationToken)
    {
        using var read = X509Certificate2.CreateFromPemFile(pem);
        var certificate = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
        var (small, large) = (new byte[SmallBytes], new byte[LargeBytes]);
        small.AsSpan().Fill((byte)'s');
        large.AsSpan().Fill((byte)'l');
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            foreach (var protocol in new[] { HttpProtocols.Http1, HttpProtocols.Http2 })
            {
                options.Listen(IPAddress.Loopback, 0, listener =>
                {
                    listener.Protocols = protocol;
                    listener.UseHttps(certificate);
                });
            }
        });
        var server = builder.Build();
        server.Run(context => context.Request.Path.Value switch
        {
            Small => Answer(context, small),
            Large => Answer(context, large),
            _ => Stream(context, small),
        });
        await server.StartAsync(cancellationToken);
        return server;
    }

    static Task Answer(HttpContext context, byte[] body)
    {
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body).AsTask();
    }

    static async Task Stream(HttpContext context, byte[] body)
    {
        await context.Response.Body.WriteAsync(body);
        await context.Response.Body.FlushAsync();
        await Task.Delay(BetweenChunks, context.RequestAborted);
        await context.Response.Body.WriteAsync(body);
    }

    public async ValueTask DisposeAsync()
    {
        if (nginx is not null)
            await Programs.End(nginx);
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await kestrel.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Connections that a proxy keeps open.
        }

        await kestrel.DisposeAsync();
    }
}
