using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>A model's arguments, whose required members were checked.</summary>
internal sealed class ToolInput(JsonObject input)
{
    public string Text(string name) => OptionalText(name) ?? "";

    public string? OptionalText(string name) =>
        input[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public int Number(string name, int otherwise) =>
        input[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
        && double.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? (int)Math.Clamp(number, int.MinValue, int.MaxValue)
            : otherwise;

    public bool Flag(string name) => input[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;
}
