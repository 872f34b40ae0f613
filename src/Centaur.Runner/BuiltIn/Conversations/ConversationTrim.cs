using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Conversations;

/// <summary>
/// Makes room when the model says that the conversation is too long: (1) old tool results are the largest and least missed part, so they go first;
/// (2) then the older half of the turns, cut where a user speaks, so that what is left begins with a question.
/// </summary>
internal static class ConversationTrim
{
    const string Removed = "[This output was removed to make room.]";
    const int Kept = 4;
    const int WorthRemoving = 400;

    /// <returns>False when nothing can be spared any more.</returns>
    public static bool MakeRoom(Conversation conversation) => RemoveOldResults(conversation.Messages) || DropOlderHalf(conversation.Messages);

    // (1)
    static bool RemoveOldResults(JsonArray messages)
    {
        var removed = false;
        foreach (var block in messages.SkipLast(Kept).SelectMany(Blocks).Where(block => TypeOf(block) == "tool_result"))
        {
            if (block["content"]!.GetValue<string>().Length <= WorthRemoving)
                continue;
            block["content"] = Removed;
            removed = true;
        }

        return removed;
    }

    // (2)
    static bool DropOlderHalf(JsonArray messages)
    {
        var starts = Enumerable.Range(1, Math.Max(0, messages.Count - 1)).Where(at => IsQuestion(messages[at]!)).ToList();
        if (starts.Count == 0)
            return false;
        var target = messages.Count / 2;
        var cut = starts.FirstOrDefault(at => at >= target, starts[^1]);
        for (var i = 0; i < cut; i++)
            messages.RemoveAt(0);
        return true;
    }

    static bool IsQuestion(JsonNode message) =>
        message["role"]!.GetValue<string>() == "user" && Blocks(message).All(block => TypeOf(block) == "text");

    static IEnumerable<JsonObject> Blocks(JsonNode? message) => ((JsonArray)message!["content"]!).OfType<JsonObject>();

    static string TypeOf(JsonObject block) => block["type"]!.GetValue<string>();
}
