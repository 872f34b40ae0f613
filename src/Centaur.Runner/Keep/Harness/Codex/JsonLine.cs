using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>JSON on one line, as bytes.</summary>
internal static class JsonLine
{
    const int UsualBytes = 512;

    public static ReadOnlyMemory<byte> Of(JsonObject json) => Of(json, default);

    /// <param name="json">What stands first.</param>
    /// <param name="more">An object whose members follow, each of another name than all before it. What is no object adds nothing.</param>
    /// <exception cref="InvalidOperationException">A string of it holds half a surrogate pair.</exception>
    public static ReadOnlyMemory<byte> Of(JsonObject json, JsonElement more)
    {
        var buffer = new ArrayBufferWriter<byte>(UsualBytes);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        foreach (var (name, value) in json)
        {
            writer.WritePropertyName(name);
            if (value is null)
                writer.WriteNullValue();
            else
                value.WriteTo(writer);
        }

        if (more.ValueKind == JsonValueKind.Object)
        {
            var written = json.Select(member => member.Key).ToHashSet(StringComparer.Ordinal);
            foreach (var member in more.EnumerateObject().Where(member => written.Add(member.Name)))
                member.WriteTo(writer);
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
