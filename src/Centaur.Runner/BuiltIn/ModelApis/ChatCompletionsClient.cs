using System.Text;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>OpenAI's Chat Completions API, streaming, as Ollama and vLLM speak it too.</summary>
internal sealed class ChatCompletionsClient(ModelTransport transport, string model, string? key) : IModelClient
{
    public async Task<ModelAnswer> Ask(ModelQuestion question, Func<string, Task> said, CancellationToken cancellationToken)
    {
        var answer = new Reading(said);
        await transport.Post(Body(question), Headers(), answer.Take, cancellationToken);
        return answer.Finish();
    }

    Dictionary<string, string> Headers() => key is null ? [] : new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" };

    JsonObject Body(ModelQuestion question) => new()
    {
        ["model"] = model,
        ["stream"] = true,
        ["stream_options"] = new JsonObject { ["include_usage"] = true },
        ["tools"] = ChatMessages.Tools(question.Tools),
        ["messages"] = ChatMessages.Of(question),
    };

    /// <summary>Puts the pieces of a stream together. Some servers send a tool call whole, some give it neither index nor id.</summary>
    sealed class Reading(Func<string, Task> said)
    {
        readonly StringBuilder text = new();
        readonly SortedDictionary<int, PartialCall> calls = [];
        ModelUsage usage = ModelUsage.None;
        bool ended;

        public async Task Take(JsonObject data)
        {
            if (data["error"] is not null)
                throw new ModelException($"The model failed: {ModelErrors.MessageOf(data)}", ModelErrors.IsTooLong(ModelErrors.MessageOf(data) ?? "") ? ModelFault.TooLong : ModelFault.Final);
            if (data["usage"] is JsonObject told)
                TakeUsage(told);
            if (data["choices"] is not JsonArray { Count: > 0 } choices || choices[0] is not JsonObject choice)
                return;
            ended |= choice.Text("finish_reason") is not null;
            if (choice["delta"] is not JsonObject delta)
                return;
            if (delta.Text("content") is { Length: > 0 } piece)
            {
                text.Append(piece);
                await said(piece);
            }

            foreach (var call in (delta["tool_calls"] as JsonArray)?.OfType<JsonObject>() ?? [])
                TakeCall(call);
        }

        public ModelAnswer Finish()
        {
            if (!ended)
                throw new ModelException("The model's answer was cut.", ModelFault.Passing);
            var content = new JsonArray();
            if (text.Length > 0)
                content.Add(AnswerBlocks.Text(text.ToString()));
            foreach (var call in calls.Values)
                content.Add(AnswerBlocks.ToolUse(call.Id, call.Name, call.Arguments.ToString()));
            return new ModelAnswer(content, usage);
        }

        void TakeCall(JsonObject piece)
        {
            var function = piece["function"] as JsonObject ?? [];
            var index = (int)(piece.Count("index") ?? (function.Text("name") is not null ? calls.Count : Math.Max(0, calls.Count - 1)));
            if (!calls.TryGetValue(index, out var call))
                calls[index] = call = new PartialCall();
            call.Id ??= piece.Text("id");
            call.Name ??= function.Text("name");
            call.Arguments.Append(function.Text("arguments") ?? (function["arguments"] as JsonObject)?.ToJsonString());
        }

        void TakeUsage(JsonObject told) => usage = new ModelUsage(
            told.Count("prompt_tokens") ?? 0, (told["prompt_tokens_details"] as JsonObject)?.Count("cached_tokens") ?? 0, told.Count("completion_tokens") ?? 0);

        sealed class PartialCall
        {
            public string? Id { get; set; }

            public string? Name { get; set; }

            public StringBuilder Arguments { get; } = new();
        }
    }
}
