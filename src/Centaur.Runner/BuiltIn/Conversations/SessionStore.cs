using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Conversations;

/// <summary>Conversations as files, <c>{"id","messages"}</c>, replaced whole.</summary>
internal sealed class SessionStore(string folder)
{
    /// <summary>Ids become file names, so they are held to the form in which they are made.</summary>
    public static bool IsId(string text) => Guid.TryParseExact(text, "D", out _);

    /// <returns>The conversation named, or a new one where there is none.</returns>
    public async Task<(Conversation Conversation, bool Found)> Open(string? id, CancellationToken cancellationToken)
    {
        if (id is not null && await Read(id, cancellationToken) is { } messages)
            return (new Conversation(id, messages), true);
        return (new Conversation(Guid.CreateVersion7().ToString("D"), []), false);
    }

    /// <summary>A full disk costs the memory of this step and not the turn, which may be the one that makes room.</summary>
    public async Task Save(Conversation conversation, CancellationToken cancellationToken)
    {
        try
        {
            await Write(conversation, cancellationToken);
        }
        catch (IOException full)
        {
            await Console.Error.WriteLineAsync($"The conversation could not be saved: {full.Message}");
        }
    }

    async Task Write(Conversation conversation, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var file = File(conversation.Id);
        var draft = file + ".new";
        await using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
        await using (var writer = new Utf8JsonWriter(stream))
            new JsonObject { ["id"] = conversation.Id, ["messages"] = conversation.Messages.DeepClone() }.WriteTo(writer);
        cancellationToken.ThrowIfCancellationRequested();
        System.IO.File.Move(draft, file, overwrite: true);
    }

    async Task<JsonArray?> Read(string id, CancellationToken cancellationToken)
    {
        if (!System.IO.File.Exists(File(id)))
            return null;
        try
        {
            var session = JsonNode.Parse(await System.IO.File.ReadAllTextAsync(File(id), cancellationToken)) as JsonObject;
            return session?["messages"] is JsonArray messages && SessionShape.IsSound(messages) ? (JsonArray)messages.DeepClone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    string File(string id) => Path.Combine(folder, id + ".json");
}
