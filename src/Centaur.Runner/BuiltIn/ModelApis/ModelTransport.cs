using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Posts a body and streams the events of the answer, with failures sorted into those that pass and those that stay.</summary>
internal sealed class ModelTransport(HttpClient http, Uri endpoint)
{
    const int MaxErrorBytes = 64 * 1024;

    /// <summary>A model that is silent for so long is gone.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    public async Task Post(
        JsonObject body, IReadOnlyDictionary<string, string> headers, Func<JsonObject, Task> received, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(Silence);
        try
        {
            using var request = Request(body, headers);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if (!response.IsSuccessStatusCode)
                throw await Refusal(response, silence.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(silence.Token);
            await foreach (var data in EventStream.Read(stream, silence.Token))
            {
                silence.CancelAfter(Silence);
                await received(Parse(data));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ModelException($"The model said nothing for {Silence.TotalMinutes} minutes.", ModelFault.Passing);
        }
        catch (HttpRequestException failure)
        {
            throw new ModelException(Words(failure), ModelFault.Passing);
        }
        catch (IOException)
        {
            throw new ModelException("The connection to the model was cut.", ModelFault.Passing);
        }
    }

    HttpRequestMessage Request(JsonObject body, IReadOnlyDictionary<string, string> headers)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            body.WriteTo(writer);
        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("centaur", "0.1"));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    static JsonObject Parse(string data)
    {
        try
        {
            return JsonNode.Parse(data) as JsonObject ?? throw new ModelException("The model's stream held something that is no JSON object.");
        }
        catch (JsonException)
        {
            throw new ModelException("The model's stream could not be read: it held something that is not JSON.");
        }
    }

    static async Task<ModelException> Refusal(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var said = ModelErrors.MessageOf(await Head(response, cancellationToken));
        var wait = response.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - response.Headers.Date : null;
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new ModelException($"The model's host does not accept the key (401): {said}"),
            HttpStatusCode.Forbidden => new ModelException($"The request to the model was forbidden (403): {said}"),
            HttpStatusCode.TooManyRequests => new ModelException($"The model is asked too often (429): {said}", ModelFault.Passing, wait),
            HttpStatusCode.RequestEntityTooLarge => new ModelException($"The conversation is too long (413): {said}", ModelFault.TooLong),
            >= HttpStatusCode.InternalServerError => new ModelException($"The model's host failed ({status}): {said}", ModelFault.Passing, wait),
            _ => new ModelException($"The model refused the request ({status}): {said}", ModelErrors.IsTooLong(said) ? ModelFault.TooLong : ModelFault.Final),
        };
    }

    static async Task<string> Head(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var head = new byte[MaxErrorBytes];
        var length = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return System.Text.Encoding.UTF8.GetString(head, 0, length);
    }

    /// <summary>The framework's own texts are trimmed away in the published program, so its error codes are put into words here.</summary>
    string Words(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.ProxyTunnelError => string.Create(CultureInfo.InvariantCulture, $"The proxy did not open the way to {endpoint.Host} ({(int?)failure.StatusCode})."),
        HttpRequestError.NameResolutionError => $"The name {endpoint.Host} was not found.",
        HttpRequestError.ConnectionError => $"No connection to {endpoint.Host} could be made.",
        HttpRequestError.SecureConnectionError => $"The certificate of {endpoint.Host} was not accepted.",
        HttpRequestError.ResponseEnded => "The connection to the model was cut.",
        var error => $"The request to {endpoint.Host} failed ({error}).",
    };
}
