using System.Text.Json.Nodes;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Attachments;

/// <summary>
/// Takes the files out of a message (contract §1.3): a base64 <c>image</c> or <c>document</c> block becomes a reference, in one form for the harness and in another for the transcript.
/// </summary>
/// <param name="EventContent">The blocks for the harness.</param>
/// <param name="ChatParts">The blocks for the transcript.</param>
/// <param name="Attachments">The files.</param>
public sealed record InlineAttachments(JsonArray EventContent, JsonArray ChatParts, IReadOnlyList<Attachment> Attachments)
{
    const int MaxType = 255;

    public static Outcome<InlineAttachments> Extract(JsonArray content)
    {
        var result = new InlineAttachments([], [], []);
        var attachments = new List<Attachment>();
        foreach (var block in content)
        {
            if (Source(block) is not { } source)
            {
                result.EventContent.Add(block!.DeepClone());
                result.ChatParts.Add(block.DeepClone());
                continue;
            }

            if (Decode(source["data"]) is not { } data)
                return ApiFailure.Control("INVALID_BASE64_ATTACHMENT", $"Attachment {attachments.Count + 1} of the message is not valid base64.", StatusCodes.Status422UnprocessableEntity);
            var id = Attachment.NewId();
            var mediaType = MediaTypeSniffer.TypeOf(Text(source["media_type"]) is { Length: <= MaxType } given ? given : "", data);
            var path = Text(block!["source_path"]);
            var name = FileName.Of(path) ?? $"{id}.bin";
            attachments.Add(new Attachment(id, name, mediaType, data));

            var reference = new JsonObject { ["type"] = "attachment_ref", ["attachment_id"] = id, ["media_type"] = mediaType };
            if (path is not null)
                reference["source_path"] = path;
            result.EventContent.Add(reference);
            result.ChatParts.Add(new JsonObject { ["type"] = "attachment_ref", ["id"] = id, ["name"] = name, ["mime_type"] = mediaType });
        }

        return result with { Attachments = attachments };
    }

    static JsonObject? Source(JsonNode? block) =>
        Text(block?["type"]) is "image" or "document" && block!["source"] is JsonObject source && Text(source["type"]) == "base64" ? source : null;

    static byte[]? Decode(JsonNode? data)
    {
        if (Text(data) is not { } text)
            return null;
        var bytes = new byte[text.Length * 3 / 4 + 3];
        return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : null;
    }

    static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
