using System.Net;
using System.Text;
using Centaur.Proxy.Front;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Centaur.Proxy.Hosting;

/// <summary>Kestrel with our front door before it, and nothing of ASP.NET behind it.</summary>
sealed class ProxyServer : IAsyncDisposable
{
    readonly WebApplication host;
    readonly IServer server;
    readonly ProxyParts parts;

    ProxyServer(WebApplication host, ProxyParts parts)
    {
        this.host = host;
        this.parts = parts;
        server = host.Services.GetRequiredService<IServer>();
    }

    /// <param name="parts">What serves.</param>
    /// <param name="listeners">Adds the listeners; each must go through <see cref="Guard"/>.</param>
    /// <param name="logs">Where Kestrel's own faults are said.</param>
    public static ProxyServer Create(ProxyParts parts, Action<KestrelServerOptions> listeners, ILoggerProvider logs)
    {
        // Two parsers must not differ over where a line ends.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(logs);
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<SocketTransportOptions>(options => options.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.AllowSynchronousIO = false;
            options.AllowAlternateSchemes = false;
            options.RequestHeaderEncodingSelector = ConnectionWords.For;
            options.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            options.Limits.MaxRequestHeaderCount = parts.Limits.RequestHeaders;
            options.Limits.MaxRequestHeadersTotalSize = parts.Limits.RequestHeadBytes;
            options.Limits.MaxRequestLineSize = parts.Limits.RequestHeadBytes / 2;
            options.Limits.RequestHeadersTimeout = parts.Limits.HeadTimeout;
            options.Limits.Http2.MaxStreamsPerConnection = parts.Limits.ConcurrentRequests;
            listeners(options);
        });
        return new ProxyServer(builder.Build(), parts);
    }

    /// <summary>
    /// Puts the front door before a listener. Middleware is built from the last to the first: the one after TLS is handed the cleartext tail, which the front
    /// door needs for tunnels that speak plain HTTP.
    /// </summary>
    public static void Guard(ListenOptions listener, ProxyParts parts, Entrance entrance = Entrance.Tunnel)
    {
        ConnectionDelegate? plain = null;
        var front = new FrontParts(parts.Policies, parts.Limits, parts.Connections, parts.Audit, parts.Relay);
        listener.Protocols = HttpProtocols.Http1AndHttp2;
        listener.Use(next => new FrontDoor(entrance, front, new TunnelInside(parts.Leaves is null ? null : next, connection => plain!(connection), front)).OnConnection);
        if (parts.Leaves is { } leaves)
        {
            listener.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = parts.Limits.HeadTimeout,
                OnConnection = new Handshakes(parts.Policies, parts.Audit, leaves).Choose,
            });
        }

        listener.Use(next =>
        {
            plain = next;
            return next;
        });
    }

    /// <summary>Where the server listens, once it does.</summary>
    public IReadOnlyCollection<string> Addresses => [.. server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    public Task Start(CancellationToken cancellationToken) => server.StartAsync(new Application(parts), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Nobody waits for requests in flight: their clients see them fail once.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await server.StopAsync(now.Token);
        await host.DisposeAsync();
    }

    sealed class Application(ProxyParts parts) : IHttpApplication<HttpContext>
    {
        /// <summary>One context serves all requests of a connection, one after another.</summary>
        public HttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            if (contextFeatures is not IHostContextContainer<HttpContext> connection)
                return new DefaultHttpContext(contextFeatures);
            if (connection.HostContext is DefaultHttpContext known)
                known.Initialize(contextFeatures);
            else
                connection.HostContext = new DefaultHttpContext(contextFeatures);
            return connection.HostContext;
        }

        public Task ProcessRequestAsync(HttpContext context) =>
            context.Features.Get<ISideDoor>() is { } door ? door.Answer(context) : parts.Exchange.Run(context);

        public void DisposeContext(HttpContext context, Exception? exception) => ((DefaultHttpContext)context).Uninitialize();
    }
}
