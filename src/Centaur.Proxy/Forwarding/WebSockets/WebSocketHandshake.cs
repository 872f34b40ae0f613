using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Front;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Forwarding.WebSockets;

/// <summary>
/// The opening handshake of RFC 6455 §4, on both sides of this hop. Extensions are not passed on, so that frames can be read; and nothing but a verified answer turns a
/// request into a stream of frames.
/// </summary>
static class WebSocketHandshake
{
    const string Accept = "Sec-WebSocket-Accept";
    const string Extensions = "Sec-WebSocket-Extensions";
    const string Key = "Sec-WebSocket-Key";
    const int KeyBytes = 16;

    /// <summary>What every server appends to the key (RFC 6455 §1.3).</summary>
    const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>True where the request asks for a WebSocket, in whatever form.</summary>
    public static bool IsAsked(HttpRequest request) => Lists(request.Headers.Upgrade.ToString(), "websocket");

    /// <summary>Why it is no proper question, or null.</summary>
    public static Refusal? Problem(HttpRequest request)
    {
        var nonce = new byte[KeyBytes + 1];
        var wellFormed = request.Method == HttpMethods.Get
            && HttpProtocol.IsHttp11(request.Protocol)
            && Lists(request.Headers.Connection.ToString(), "upgrade")
            && request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
            && request.Headers.SecWebSocketVersion == "13"
            && request.Headers.SecWebSocketKey.Count == 1
            && Convert.TryFromBase64String(request.Headers.SecWebSocketKey.ToString(), nonce, out var length) && length == KeyBytes;
        return wellFormed ? null : Refusals.Bad("it asks for a WebSocket, and not as RFC 6455 says");
    }

    /// <summary>Puts into the request that leaves what ended at this hop.</summary>
    public static void Ask(HttpRequestMessage message)
    {
        message.Headers.Remove(Extensions);
        message.Headers.Connection.Add("Upgrade");
        message.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        message.Version = HttpVersion.Version11;
        message.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    /// <summary>True where the answer can only be that of a server that has read this question and switches to frames without extensions.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 asks for SHA-1, as a check that the server has read the key and not as a secret.")]
    public static bool IsAccepted(HttpRequest request, HttpResponseMessage answer)
    {
        if (answer.StatusCode != HttpStatusCode.SwitchingProtocols || answer.Headers.NonValidated.Contains(Extensions))
            return false;
        var expected = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(request.Headers[Key] + Suffix)));
        return answer.Headers.NonValidated.TryGetValues(Accept, out var accept) && accept.ToString() == expected
            && answer.Headers.NonValidated.TryGetValues("Upgrade", out var upgrade) && upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase);
    }

    static bool Lists(string header, string word)
    {
        foreach (var range in header.AsSpan().Split(','))
        {
            if (header.AsSpan(range).Trim().Equals(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
