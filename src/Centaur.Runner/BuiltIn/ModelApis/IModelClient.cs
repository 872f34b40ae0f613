using System.Text.Json.Nodes;
using Centaur.Runner.BuiltIn.Conversations;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>One request to a model and its streamed answer, in one vendor's API.</summary>
internal interface IModelClient
{
    /// <param name="question">What is asked.</param>
    /// <param name="said">Called with each piece of text as it comes.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="ModelException">The model did not answer; the exception says whether asking again may help.</exception>
    Task<ModelAnswer> Ask(ModelQuestion question, Func<string, Task> said, CancellationToken cancellationToken);
}

/// <param name="System">The system prompt.</param>
/// <param name="Conversation">Everything said so far.</param>
/// <param name="Tools">Declarations: <c>{name, description, input_schema}</c>.</param>
internal sealed record ModelQuestion(string System, Conversation Conversation, JsonArray Tools);

/// <param name="Content">Text and tool_use blocks, as the conversation keeps them.</param>
/// <param name="Usage">What it took.</param>
internal sealed record ModelAnswer(JsonArray Content, ModelUsage Usage)
{
    public string Text => string.Concat(Blocks("text").Select(block => block["text"]!.GetValue<string>()));

    public IReadOnlyList<ToolUse> ToolCalls =>
        [.. Blocks("tool_use").Select(block => new ToolUse(block["id"]!.GetValue<string>(), block["name"]!.GetValue<string>(), (JsonObject)block["input"]!))];

    IEnumerable<JsonObject> Blocks(string type) => Content.OfType<JsonObject>().Where(block => block["type"]!.GetValue<string>() == type);
}

/// <summary>The tokens of one request.</summary>
internal sealed record ModelUsage(long InputTokens, long CachedInputTokens, long OutputTokens)
{
    public static ModelUsage None { get; } = new(0, 0, 0);
}

/// <summary>A tool call that the model asks for.</summary>
internal sealed record ToolUse(string Id, string Name, JsonObject Input);
