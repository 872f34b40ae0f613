using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress;

/// <summary>A vendor with an API and a token endpoint, over real TLS: who has not the right credential gets 401, and whoever has it gets it echoed.</summary>
internal sealed class AcmeOrigin : IAsyncDisposable
{
    public const string Api = "api.acme.test";
    public const string Login = "login.acme.test";

    readonly TestAuthority authority = new();
    readonly ConcurrentBag<string> tokens = [];
    readonly WebApplication app;

    AcmeOrigin()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listener => listener.UseHttps(authority.Issue(Api, Login))));
        app = builder.Build();
        app.Run(Answer);
    }

    public string ClientId { get; } = "client-" + RandomNumberGenerator.GetHexString(16);

    public string ClientSecret { get; } = "secret-" + RandomNumberGenerator.GetHexString(32);

    public string Key { get; } = "key-" + RandomNumberGenerator.GetHexString(32);

    public string AuthorityPem => authority.Pem;

    public int Port => new Uri(app.Urls.Single()).Port;

    /// <summary>Everything that must be found nowhere.</summary>
    public IEnumerable<string> Credentials => [ClientSecret, Key, .. tokens];

    public static async Task<AcmeOrigin> Start(CancellationToken cancellationToken)
    {
        var origin = new AcmeOrigin();
        await origin.app.StartAsync(cancellationToken);
        return origin;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        authority.Dispose();
    }

    async Task Answer(HttpContext context)
    {
        var request = context.Request;
        switch (request.Host.Host, request.Path.Value)
        {
            case (Login, "/oauth/token") when request.Form["client_id"] == ClientId && request.Form["client_secret"] == ClientSecret:
                var token = "token-" + RandomNumberGenerator.GetHexString(32);
                tokens.Add(token);
                await context.Response.WriteAsJsonAsync(new { access_token = token, expires_in = 3600, token_type = "Bearer" });
                break;
            case (Api, "/tickets") when tokens.Any(known => request.Headers.Authorization == "Bearer " + known):
                await context.Response.WriteAsync($"tickets for {request.Headers.Authorization}\n");
                break;
            case (Api, "/keyed") when request.Headers["X-Key"] == Key:
                await context.Response.WriteAsync($"keyed by {request.Headers["X-Key"]}\n");
                break;
            default:
                context.Response.StatusCode = 401;
                await context.Response.WriteAsync("who are you?\n");
                break;
        }
    }
}
