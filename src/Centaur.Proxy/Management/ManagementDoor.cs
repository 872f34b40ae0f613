using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Logging;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Management;

/// <summary>
/// Takes an operator's commands, of which there is one: <c>POST /v1/reload</c>.
/// <para>1. Another path is not known, another method not allowed. 2. The caller holds the key; it is compared in constant time. 3. The configuration is read anew; the answer says what
/// came of it.</para>
/// </summary>
/// <param name="key">What callers must hold.</param>
/// <param name="reload">Reads and enforces the file; returns why it did not.</param>
/// <param name="log">Hears of callers without the key.</param>
sealed class ManagementDoor(string key, Func<CancellationToken, Task<string?>> reload, ILogger log) : ISideDoor
{
    const string Scheme = "Bearer ";

    // Of equal length whatever is sent, so that the comparison tells nothing of the length either.
    readonly byte[] expected = SHA256.HashData(Encoding.UTF8.GetBytes(key));

    public async Task Answer(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);

        // 1.
        if (request.Path != "/v1/reload")
        {
            await Say(response, StatusCodes.Status404NotFound, "error", "not found", context.RequestAborted);
            return;
        }

        if (request.Method != HttpMethods.Post)
        {
            response.Headers.Allow = HttpMethods.Post;
            await Say(response, StatusCodes.Status405MethodNotAllowed, "error", "method not allowed", context.RequestAborted);
            return;
        }

        // 2.
        if (!HoldsKey(request))
        {
            log.ManagementRefused();
            response.Headers.WWWAuthenticate = "Bearer";
            await Say(response, StatusCodes.Status401Unauthorized, "error", "unauthorized", context.RequestAborted);
            return;
        }

        // 3. A caller that leaves does not end what it began.
        var problem = await reload(CancellationToken.None);
        await (problem is null
            ? Say(response, StatusCodes.Status200OK, "status", "ok", context.RequestAborted)
            : Say(response, StatusCodes.Status422UnprocessableEntity, "error", problem, context.RequestAborted));
    }

    bool HoldsKey(HttpRequest request)
    {
        var sent = request.Headers.Authorization.Count == 1 ? request.Headers.Authorization.ToString() : "";
        var given = sent.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? sent[Scheme.Length..] : "";
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.Latin1.GetBytes(given)), expected);
    }

    static async Task Say(HttpResponse response, int status, string name, string text, CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString(name, text);
            json.WriteEndObject();
        }

        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        response.Headers.CacheControl = "no-store";
        if (response.HttpContext.Request.Method != HttpMethods.Head)
            await response.BodyWriter.WriteAsync(body.WrittenMemory, cancellationToken);
    }
}
