using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.ProxyConformance.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Centaur.ProxyConformance.Scenery;

/// <summary>A real server on loopback that does what the script of the step says: over TLS with HTTP/2 and without, and in clear text.</summary>
sealed class OriginServer : IAsyncDisposable
{
    readonly WebApplication app;

    OriginServer(TestAuthority authority, string[] hosts)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            options.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            foreach (var protocols in new[] { HttpProtocols.Http1AndHttp2, HttpProtocols.Http1 })
            {
                options.Listen(IPAddress.Loopback, 0, listener =>
                {
                    listener.Protocols = protocols;
                    listener.UseHttps(authority.Issue(hosts));
                });
            }

            options.Listen(IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http1);
        });
        app = builder.Build();
        app.UseWebSockets();
        app.Run(Answer);
    }

    public OriginScript Script { get; set; } = new();

    public ConcurrentQueue<SeenByOrigin> Seen { get; } = new();

    public int Port(int listener) => new Uri(app.Urls.ElementAt(listener)).Port;

    public static async Task<OriginServer> Start(TestAuthority authority, params string[] hosts)
    {
        var server = new OriginServer(authority, hosts);
        await server.app.StartAsync();
        return server;
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
            // Requests that a case left hanging.
        }

        await app.DisposeAsync();
    }

    async Task Answer(HttpContext context)
    {
        var script = Script;
        var request = Describe(context.Request);
        Seen.Enqueue(request);
        if (script.Socket && context.WebSockets.IsWebSocketRequest)
        {
            await SendBack(await context.WebSockets.AcceptWebSocketAsync(), request, context.RequestAborted);
            return;
        }

        using var reader = new StreamReader(context.Request.Body, Encoding.Latin1);
        request.Body = await reader.ReadToEndAsync(context.RequestAborted);
        var response = context.Response;
        if (script.Wants.Any(pair => request.Header(pair.Key) != pair.Value))
        {
            response.StatusCode = 401;
            await response.WriteAsync("these are not the credentials", context.RequestAborted);
            return;
        }

        response.StatusCode = script.Status;
        foreach (var (name, value) in script.Headers)
            response.Headers.Append(name, Echo.Fill(value, request));
        foreach (var (name, _) in script.Trailers.Where(_ => response.SupportsTrailers()))
            response.DeclareTrailer(name);
        if (script.Status is not (204 or 304))
            await WriteBody(script, request, context);
        foreach (var (name, value) in script.Trailers.Where(_ => response.SupportsTrailers()))
            response.AppendTrailer(name, Echo.Fill(value, request));
        if (script.Aborts)
            context.Abort();
    }

    static async Task WriteBody(OriginScript script, SeenByOrigin request, HttpContext context)
    {
        var pieces = script.Pieces.Count > 0 ? script.Pieces : Enumerable.Repeat(script.Body, script.Times);
        var bytes = pieces.Select(piece => Encoding.Latin1.GetBytes(Echo.Fill(piece, request))).ToList();
        if (script.Packed is { } packing)
        {
            context.Response.Headers.ContentEncoding = packing;
            bytes = [Pack(packing, [.. bytes.SelectMany(piece => piece)])];
        }

        if (script.Length)
            context.Response.ContentLength = bytes.Sum(piece => piece.Length);
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        foreach (var piece in bytes)
        {
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            if (script.Pieces.Count > 0)
                await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    static byte[] Pack(string packing, byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (Stream packer = packing switch
        {
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            _ => packed,
        })
            packer.Write(bytes);
        return packed.ToArray();
    }

    static async Task SendBack(WebSocket socket, SeenByOrigin request, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, cancellationToken) is { MessageType: not WebSocketMessageType.Close } frame)
        {
            var text = Encoding.UTF8.GetString(buffer, 0, frame.Count);
            request.Body += text;
            await socket.SendAsync(Encoding.UTF8.GetBytes(Echo.Fill(text, request)), frame.MessageType, frame.EndOfMessage, cancellationToken);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    static SeenByOrigin Describe(HttpRequest request) => new(
        request.Method, request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, request.Protocol,
        [.. request.Headers.SelectMany(header => header.Value.Select(value => KeyValuePair.Create(header.Key, value ?? "")))]);
}
