using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Responses;

/// <summary>OpenAI's Responses API.</summary>
internal sealed class ResponsesApi(TimeProvider clock) : IModelApi
{
    public string Path => "/v1/responses";

    public IVendor Vendor { get; } = new OpenAiVendor();

    public IEnumerable<ApiFault> Faults(JsonObject body, IHeaderDictionary headers) => ResponsesFaults.Of(body);

    public ModelRequest Read(JsonObject body, int inputTokens) => ResponsesReader.Read(body, inputTokens);

    public JsonObject Whole(ModelRequest request, Reply reply) => new ResponsesAnswer(request, reply, clock).Whole();

    public IAsyncEnumerable<ServerSentEvent> Stream(ModelRequest request, Reply reply, CancellationToken cancellationToken) =>
        new ResponsesAnswer(request, reply, clock).Stream(cancellationToken);
}
