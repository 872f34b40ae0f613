using System.Text;
using System.Text.Json;
using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources.OnePassword;

/// <summary>Takes a field of an item by label or id, letters of either case alike, as 1Password's own tools do.</summary>
static class ConnectItem
{
    public static SourceAnswer Pick(JsonElement item, OnePasswordReference place)
    {
        var sections = Members(item, "sections").ToList();
        var fields = Members(item, "fields").Where(field => IsCalled(field, place.Field)).ToList();
        var wanted = place.Section is { } section
            ? fields.Where(field => sections.Any(each => IsCalled(each, section) && Text(each, "id") == SectionOf(field))).ToList()
            : fields.Where(field => SectionOf(field) is null) is var outside && outside.Any() ? outside.ToList() : fields;
        return wanted switch
        {
            [] => SourceAnswer.Missing($"the item has no such field{(place.Section is null ? "" : " in that section")}"),
            [var only] => Text(only, "value") is { Length: > 0 } value ? SourceAnswer.Of(Encoding.UTF8.GetBytes(value)) : SourceAnswer.Missing("the field is empty"),
            _ => SourceAnswer.Missing($"the item has {wanted.Count} fields of that name: name its section, or the field by its id"),
        };
    }

    static IEnumerable<JsonElement> Members(JsonElement item, string list) =>
        item.TryGetProperty(list, out var found) && found.ValueKind == JsonValueKind.Array ? found.EnumerateArray().Where(each => each.ValueKind == JsonValueKind.Object) : [];

    static bool IsCalled(JsonElement element, string name) => Text(element, "id") == name || string.Equals(Text(element, "label"), name, StringComparison.OrdinalIgnoreCase);

    static string? SectionOf(JsonElement field) => field.TryGetProperty("section", out var section) && section.ValueKind == JsonValueKind.Object ? Text(section, "id") : null;

    static string? Text(JsonElement element, string member) =>
        element.TryGetProperty(member, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;
}
