using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.ChatCompletions;

/// <summary>OpenAI's Chat Completions API.</summary>
internal sealed class ChatCompletionsApi(TimeProvider clock) : IModelApi
{
    public string Path => "/v1/chat/completions";

    public IVendor Vendor { get; } = new OpenAiVendor();

    public IEnumerable<ApiFault> Faults(JsonObject body, IHeaderDictionary headers) => ChatCompletionsFaults.Of(body);

    public ModelRequest Read(JsonObject body, int inputTokens) => ChatCompletionsReader.Read(body, inputTokens);

    public JsonObject Whole(ModelRequest request, Reply reply) => new ChatCompletionsAnswer(request, reply, clock).Whole();

    public IAsyncEnumerable<ServerSentEvent> Stream(ModelRequest request, Reply reply, CancellationToken cancellationToken) =>
        new ChatCompletionsAnswer(request, reply, clock).Stream(cancellationToken);
}
