using System.Net;
using System.Net.Security;
using System.Text;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Targets;

namespace Centaur.ProxyConformance.Play;

/// <summary>A client that speaks HTTP/2 in its tunnel.</summary>
static class Http2Client
{
    public static async Task<Answer> Ask(IRunningProxy proxy, ClientScript client, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = true, Proxy = new WebProxy($"http://127.0.0.1:{proxy.Port("tunnel")}"), AllowAutoRedirect = false, UseCookies = false };
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Wire.Trust(proxy.TrustedPem) };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        var address = new Uri($"https://{client.Host}:{RequestText.Port(client)}{client.Target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(client.Method), address) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (RequestText.Body(client) is { Length: > 0 } body)
            request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));
        foreach (var line in client.Headers.Select(line => line.Split(": ", 2)))
            request.Headers.TryAddWithoutValidation(line[0], line[1]);
        try
        {
            using var answer = await invoker.SendAsync(request, cancellationToken);
            var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            var headers = answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated).SelectMany(header => header.Value, (header, value) => KeyValuePair.Create(header.Key, value)).ToList();
            var trailers = answer.TrailingHeaders.NonValidated.SelectMany(header => header.Value, (header, value) => KeyValuePair.Create(header.Key, value)).ToList();
            var text = Encoding.Latin1.GetString(bytes);
            var raw = string.Concat(headers.Concat(trailers).Select(header => $"{header.Key}: {header.Value}\r\n")) + text;
            return new Answer { Status = (int)answer.StatusCode, Headers = headers, Trailers = trailers, Body = text, Raw = raw };
        }
        catch (HttpRequestException fault)
        {
            return new Answer { Whole = false, Raw = fault.Message, HandshakeFailed = fault.HttpRequestError == HttpRequestError.SecureConnectionError };
        }
    }
}
