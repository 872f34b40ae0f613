using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Centaur.Proxy.Sources;

/// <summary>
/// Asks one server for values: over verified TLS, directly (no proxy, no redirect, no cookie: each would carry the token elsewhere), and bounded in time and size.
/// </summary>
sealed class SourceHttp : IDisposable
{
    const int LongestAnswer = 1024 * 1024;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly HttpClient client;

    /// <param name="address">Where the server is; requests are below its path.</param>
    /// <param name="authority">The only authorities to trust; null for the system's.</param>
    /// <param name="patience">How long an answer may take; null for ten seconds.</param>
    public SourceHttp(Uri address, X509Certificate2Collection? authority, TimeSpan? patience = null)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            SslOptions = Trust(authority),
        };
        client = new HttpClient(handler)
        {
            BaseAddress = new Uri(address.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = patience ?? Patience,
            MaxResponseContentBufferSize = LongestAnswer,
        };
    }

    /// <param name="path">The path below the address, with its query, without a slash in front.</param>
    /// <param name="sign">Adds what the server knows the broker by.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<HttpAnswer> Get(string path, Action<HttpRequestHeaders> sign, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            sign(request.Headers);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            return new HttpAnswer((int)response.StatusCode, Json(await response.Content.ReadAsByteArrayAsync(cancellationToken)), "");
        }
        catch (HttpRequestException fault)
        {
            return new HttpAnswer(0, default, fault.HttpRequestError switch
            {
                HttpRequestError.SecureConnectionError => "has no certificate that is trusted here",
                HttpRequestError.ConfigurationLimitExceeded => $"answers more than {LongestAnswer} bytes",
                var error => $"cannot be reached ({error})",
            });
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HttpAnswer(0, default, $"did not answer within {client.Timeout.TotalSeconds} seconds");
        }
    }

    public void Dispose() => client.Dispose();

    /// <summary>The body as JSON, or nothing: what a parser says of it would quote it.</summary>
    static JsonElement Json(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default;
        }
    }

    static SslClientAuthenticationOptions Trust(X509Certificate2Collection? authority)
    {
        var options = new SslClientAuthenticationOptions();
        if (authority is null)
            return options;
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(authority);
        return options;
    }
}

/// <param name="Status">The status code; 0 where there was no answer.</param>
/// <param name="Body">The body, where it is JSON; else undefined.</param>
/// <param name="Problem">Why there was no answer, to follow the server's name in a sentence.</param>
readonly record struct HttpAnswer(int Status, JsonElement Body, string Problem)
{
    /// <summary>A body may hold a value.</summary>
    public override string ToString() => $"HttpAnswer {{ Status = {Status} }}";

    public bool Has(string member, JsonValueKind kind) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(member, out var found) && found.ValueKind == kind;
}
