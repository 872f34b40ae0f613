using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis;

/// <summary>Writes JSON as the vendors do: what people wrote stays readable, also to a search.</summary>
internal static class JsonText
{
    static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Line(this JsonNode node) => node.ToJsonString(Relaxed);
}
