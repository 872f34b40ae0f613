using System.Text;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Anthropic's Messages API, streaming.</summary>
internal sealed class MessagesClient(ModelTransport transport, string model, string? key) : IModelClient
{
    const int MaxTokens = 8192;

    public async Task<ModelAnswer> Ask(ModelQuestion question, Func<string, Task> said, CancellationToken cancellationToken)
    {
        var answer = new Reading(said);
        await transport.Post(Body(question), Headers(), answer.Take, cancellationToken);
        return answer.Finish();
    }

    Dictionary<string, string> Headers()
    {
        var headers = new Dictionary<string, string> { ["anthropic-version"] = "2023-06-01" };
        if (key is not null)
            headers["x-api-key"] = key;
        return headers;
    }

    JsonObject Body(ModelQuestion question) => new()
    {
        ["model"] = model,
        ["max_tokens"] = MaxTokens,
        ["stream"] = true,
        ["system"] = question.System,
        ["tools"] = question.Tools.DeepClone(),
        ["messages"] = question.Conversation.Messages.DeepClone(),
    };

    /// <summary>Puts the pieces of a stream together: blocks begin, grow and stop, and the message ends.</summary>
    sealed class Reading(Func<string, Task> said)
    {
        readonly SortedDictionary<int, (JsonObject Block, StringBuilder Grown)> blocks = [];
        ModelUsage usage = ModelUsage.None;
        bool ended;

        public async Task Take(JsonObject data)
        {
            switch (data.Text("type"))
            {
                case "message_start":
                    TakeUsage((data["message"] as JsonObject)?["usage"] as JsonObject);
                    break;
                case "content_block_start" when data["content_block"] is JsonObject block:
                    blocks[data.Number("index")] = ((JsonObject)block.DeepClone(), new StringBuilder(block.Text("text")));
                    break;
                case "content_block_delta" when data["delta"] is JsonObject delta && blocks.TryGetValue(data.Number("index"), out var grown):
                    grown.Grown.Append(delta.Text("text") ?? delta.Text("partial_json"));
                    if (delta.Text("text") is { Length: > 0 } text)
                        await said(text);
                    break;
                case "message_delta":
                    TakeUsage(data["usage"] as JsonObject);
                    break;
                case "message_stop":
                    ended = true;
                    break;
                case "error":
                    throw new ModelException($"The model failed: {ModelErrors.MessageOf(data)}", FaultOf(data["error"] as JsonObject));
            }
        }

        public ModelAnswer Finish()
        {
            if (!ended)
                throw new ModelException("The model's answer was cut.", ModelFault.Passing);
            var content = new JsonArray();
            foreach (var (block, grown) in blocks.Values)
            {
                if (block.Text("type") == "text" && grown.Length > 0)
                    content.Add(AnswerBlocks.Text(grown.ToString()));
                else if (block.Text("type") == "tool_use")
                    content.Add(AnswerBlocks.ToolUse(block.Text("id"), block.Text("name"), grown.ToString()));
            }

            return new ModelAnswer(content, usage);
        }

        void TakeUsage(JsonObject? told)
        {
            if (told is null)
                return;
            usage = new ModelUsage(
                told.Count("input_tokens") ?? usage.InputTokens, told.Count("cache_read_input_tokens") ?? usage.CachedInputTokens,
                told.Count("output_tokens") ?? usage.OutputTokens);
        }

        static ModelFault FaultOf(JsonObject? error) =>
            error?.Text("type") is "overloaded_error" or "api_error" or "rate_limit_error" or "timeout_error" ? ModelFault.Passing : ModelFault.Final;
    }
}
