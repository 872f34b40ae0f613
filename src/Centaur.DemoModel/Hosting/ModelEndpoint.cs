using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.DemoModel.Apis;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Hosting;

/// <summary>
/// One request of one API: (1) read the body, (2) judge the credential, (3) record, (4) refuse what the real API refuses,
/// (5) answer from the script, whole or as a stream.
/// </summary>
internal sealed class ModelEndpoint(IModelApi api, RequiredKey key, RequestRecorder recorder)
{
    const int MaxBodyBytes = 32 << 20;

    public async Task Handle(HttpContext context)
    {
        var cancellationToken = context.RequestAborted;

        // (1)
        var (body, bytes, tooLarge) = await ReadBody(context.Request, cancellationToken);

        // (2)
        var presented = api.Vendor.Key(context.Request.Headers);
        var credential = key.Judge(presented);

        // (3)
        await recorder.Record(context.Request, credential, body, cancellationToken);

        // (4)
        if (FaultOf(body, credential, tooLarge, context.Request.Headers) is { } fault)
        {
            await Refuse(context, api.Vendor, fault);
            return;
        }

        // (5)
        var request = api.Read((JsonObject)body!, (bytes + 3) / 4);
        var reply = ModelScript.Answer(request);
        if (request.Stream)
            await Stream(context.Response, api.Stream(request, reply, cancellationToken), cancellationToken);
        else
            await Answer(context.Response, await Whole(request, reply, cancellationToken), StatusCodes.Status200OK, cancellationToken);
    }

    public static Task Refuse(HttpContext context, IVendor vendor, ApiFault fault) =>
        Answer(context.Response, vendor.Error(fault), fault.Status, context.RequestAborted);

    static async Task Answer(HttpResponse response, JsonObject document, int status, CancellationToken cancellationToken)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        await response.WriteAsync(document.Line(), cancellationToken);
    }

    ApiFault? FaultOf(JsonNode? body, string credential, bool tooLarge, IHeaderDictionary headers)
    {
        if (!key.Admits(credential))
            return api.Vendor.Unauthorized(keyPresent: credential != "missing");
        if (tooLarge)
            return new ApiFault(StatusCodes.Status413PayloadTooLarge, "Request exceeds the maximum size");
        if (body is not JsonObject document)
            return ApiFault.Bad("We could not parse the JSON body of your request. The body must be one JSON object.");
        return api.Faults(document, headers).FirstOrDefault();
    }

    static async Task<(JsonNode? Body, int Bytes, bool TooLarge)> ReadBody(HttpRequest request, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[64 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            if (buffer.Length + read > MaxBodyBytes)
                return (null, 0, true);
            buffer.Write(chunk, 0, read);
        }

        var text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        try
        {
            var body = JsonNode.Parse(text);
            // A node finds out that it holds one name twice only when it is looked into.
            (body as JsonObject)?.ContainsKey("model");
            return (body, (int)buffer.Length, false);
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException)
        {
            return (JsonValue.Create(text), (int)buffer.Length, false);
        }
    }

    /// <summary>A whole answer takes as long as its stream would.</summary>
    async Task<JsonObject> Whole(ModelRequest request, Reply reply, CancellationToken cancellationToken)
    {
        await foreach (var _ in api.Stream(request, reply, cancellationToken))
        {
        }

        return api.Whole(request, reply);
    }

    static async Task Stream(HttpResponse response, IAsyncEnumerable<ServerSentEvent> events, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        try
        {
            await foreach (var (name, data) in events)
            {
                await response.WriteAsync(name is null ? $"data: {data}\n\n" : $"event: {name}\ndata: {data}\n\n", cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client hung up, which is how a turn is interrupted.
        }
    }
}
