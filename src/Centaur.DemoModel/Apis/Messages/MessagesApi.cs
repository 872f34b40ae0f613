using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Messages;

/// <summary>Anthropic's Messages API.</summary>
internal sealed class MessagesApi(TimeProvider clock) : IModelApi
{
    public string Path => "/v1/messages";

    public IVendor Vendor { get; } = new AnthropicVendor();

    public IEnumerable<ApiFault> Faults(JsonObject body, IHeaderDictionary headers) => MessagesFaults.Of(body, headers);

    public ModelRequest Read(JsonObject body, int inputTokens) => MessagesReader.Read(body, inputTokens);

    public JsonObject Whole(ModelRequest request, Reply reply) => new MessagesAnswer(request, reply, clock).Whole();

    public IAsyncEnumerable<ServerSentEvent> Stream(ModelRequest request, Reply reply, CancellationToken cancellationToken) =>
        new MessagesAnswer(request, reply, clock).Stream(cancellationToken);
}
