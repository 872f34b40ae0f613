using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>A JSON object as bytes, without a line feed.</summary>
internal static class JsonLine
{
    public static ReadOnlyMemory<byte> Of(JsonObject json)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            json.WriteTo(writer);
        return buffer.ToArray();
    }
}
