using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>
/// Asks a token endpoint (RFC 6749, section 5). By the same guarded way as every other request: an address that is not public is never dialled for it, a redirect
/// is not followed.
/// </summary>
sealed class TokenEndpoint(UpstreamPool upstreams, SecretVault vault, TimeProvider time)
{
    const int LargestAnswer = 64 * 1024;
    const int LongestReason = 200;

    // RFC 6749 lets an endpoint leave the lifetime out; then nothing is known, so little is assumed.
    static readonly TimeSpan UnknownLifetime = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<MintAnswer> Mint(string name, MintRequest request, UpstreamMap? map)
    {
        var host = request.Endpoint.IdnHost;
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            using var message = Build(request, map);
            using var answer = await upstreams.For(map).SendAsync(message, patience.Token);
            var body = await Read(answer, patience.Token);
            if (body is null)
                return MintAnswer.Failed($"the answer of {host} is larger than {LargestAnswer} bytes");
            return answer.StatusCode == HttpStatusCode.OK ? Accept(name, host, body) : MintAnswer.Failed($"{host} answered {(int)answer.StatusCode}{Reason(body)}");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return MintAnswer.Failed($"{host} did not answer within {Patience.TotalSeconds:0} seconds");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return MintAnswer.Failed(UpstreamFault.Explain(fault, host).What.TrimEnd('.'));
        }
    }

    static HttpRequestMessage Build(MintRequest request, UpstreamMap? map)
    {
        var address = map is { Plaintext: true } ? new UriBuilder(request.Endpoint) { Scheme = Uri.UriSchemeHttp, Port = request.Endpoint.Port }.Uri : request.Endpoint;
        var message = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(request.Form),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        foreach (var (header, value) in request.Headers)
        {
            message.Headers.Remove(header);
            message.Headers.TryAddWithoutValidation(header, value.ForHeader());
        }

        return message;
    }

    static async Task<byte[]?> Read(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LargestAnswer + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= LargestAnswer ? buffer[..length] : null;
    }

    MintAnswer Accept(string name, string host, byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var token = new Secret(name, Encoding.UTF8.GetBytes(Text(json.RootElement, "access_token")));
            if (!token.FitsHeader)
                return MintAnswer.Failed($"the answer of {host} holds no usable access_token");
            vault.Hold(token, SourceValues.Mark(name));
            var next = Text(json.RootElement, "refresh_token") is { Length: > 0 } given ? new Secret(name + ".refresh_token", Encoding.UTF8.GetBytes(given)) : null;
            if (next is not null)
                vault.Hold(next, SourceValues.Mark(next.Name));
            return new MintAnswer(token, Lifetime(json.RootElement), next, null);
        }
        catch (JsonException)
        {
            return MintAnswer.Failed($"the answer of {host} is not JSON");
        }
    }

    /// <summary>Some endpoints write the number as a text.</summary>
    static TimeSpan Lifetime(JsonElement answer)
    {
        if (!answer.TryGetProperty("expires_in", out var value))
            return UnknownLifetime;
        var text = value.ValueKind is JsonValueKind.String ? value.GetString() : value.GetRawText();
        return double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e8 ? TimeSpan.FromSeconds(seconds) : UnknownLifetime;
    }

    /// <summary>The error as RFC 6749, section 5.2, words it. Nothing else of the body is repeated, and of this no value that the endpoint might echo.</summary>
    string Reason(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var words = new[] { Text(json.RootElement, "error"), Text(json.RootElement, "error_description") }.Where(text => text.Length > 0);
            var reason = string.Concat(string.Join(", ", words).Where(letter => letter is >= ' ' and <= '~'));
            long scrubbed = 0;
            reason = vault.Scan?.Clean(reason, ref scrubbed) ?? reason;
            return reason.Length == 0 ? "" : $" ({(reason.Length <= LongestReason ? reason : reason[..LongestReason])})";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    static string Text(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
