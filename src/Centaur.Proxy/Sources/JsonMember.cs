using System.Text;
using System.Text.Json;

namespace Centaur.Proxy.Sources;

/// <summary>Takes one member of a value that is a JSON object: texts as they are, numbers and everything else as JSON.</summary>
static class JsonMember
{
    public static SourceAnswer Of(byte[] value, string key)
    {
        try
        {
            using var document = JsonDocument.Parse(value);
            return Of(document.RootElement, key);
        }
        catch (JsonException)
        {
            // Its message would quote the value.
            return SourceAnswer.Missing("the value is not JSON, so it has no members");
        }
    }

    public static SourceAnswer Of(JsonElement value, string key)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return SourceAnswer.Missing("the value is not a JSON object, so it has no members");
        if (!value.TryGetProperty(key, out var member) || member.ValueKind == JsonValueKind.Null)
            return SourceAnswer.Missing("the value has no such member");
        return SourceAnswer.Of(Encoding.UTF8.GetBytes(member.ValueKind == JsonValueKind.String ? member.GetString()! : member.GetRawText()));
    }
}
