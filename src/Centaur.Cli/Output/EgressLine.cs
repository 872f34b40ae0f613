using System.Globalization;
using System.Text.Json;

namespace Centaur.Cli.Output;

/// <summary>
/// A record of egress for people. Most of it was chosen by an agent or by whoever it spoke to: every word is stripped of what steers a terminal, and of line feeds.
/// </summary>
internal static class EgressLine
{
    const string Refusal = "refusal";
    static readonly string[] Counted = ["bytes_sent", "bytes_received", "duration_ms"];

    /// <summary>On one line, in columns that are as wide in every line.</summary>
    public static string Of(JsonElement entry)
    {
        var id = entry.GetProperty("record_id").GetInt64();
        if (!IsRecord(entry, out var record))
            return string.Create(CultureInfo.InvariantCulture, $"{id,8}  UNREADABLE: its row was altered");
        var kind = Word(record, "kind");
        var time = record.TryGetProperty("time", out var at) && at.TryGetDateTimeOffset(out var moment) ? moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) : "";
        var what = Terminal.Printable(string.Join("  ", Details(record).Where(detail => detail.Length > 0)));
        return string.Create(CultureInfo.InvariantCulture, $"{id,8}  {time,-24}  {(kind == Refusal ? "REFUSED" : Terminal.Printable(kind)),-7}  {Status(record),3}  {Terminal.Printable(Word(record, "method")),-7}  {what}");
    }

    /// <summary>Every field on a line of its own, with the record's number before them.</summary>
    public static IEnumerable<string> Fields(JsonElement entry)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"record {entry.GetProperty("record_id").GetInt64()}, line {entry.GetProperty("line").GetInt64()} of {Terminal.Printable(Word(entry, "sandbox_id"))}");
        if (!IsRecord(entry, out var record))
        {
            yield return "  UNREADABLE: its row was altered";
            yield break;
        }

        foreach (var field in record.EnumerateObject())
            yield return $"  {Terminal.Printable(field.Name),-18}  {Terminal.Printable(Text(field.Value))}";
    }

    static IEnumerable<string> Details(JsonElement record)
    {
        yield return Target(record);
        if (Word(record, "cause") is { Length: > 0 } cause)
            yield return cause;
        if (Word(record, "rule") is { Length: > 0 } rule)
            yield return $"rule {rule}";
        if (record.TryGetProperty("secrets", out var secrets) && secrets.ValueKind == JsonValueKind.Array && secrets.GetArrayLength() > 0)
            yield return $"secrets {Text(secrets)}";
        if (Counted.All(name => record.TryGetProperty(name, out _)))
            yield return $"{Word(record, "bytes_sent")} B sent, {Word(record, "bytes_received")} B received, {Word(record, "duration_ms")} ms";
        if (Word(record, "kind") != "outcome" && Word(record, "principal") is { Length: > 0 } principal)
            yield return $"for {principal}";
    }

    static string Target(JsonElement record)
    {
        var port = Word(record, "port");
        var query = Word(record, "query");
        return $"{Word(record, "host")}{(port is "" or "443" ? "" : ":" + port)}{Word(record, "path")}{(query.Length > 0 ? "?" + query : "")}";
    }

    static string Status(JsonElement record) => Word(record, "status") is var status && status == "0" ? "" : Terminal.Printable(status);

    static bool IsRecord(JsonElement entry, out JsonElement record) => entry.TryGetProperty("record", out record) && record.ValueKind == JsonValueKind.Object;

    static string Word(JsonElement record, string name) => record.TryGetProperty(name, out var value) ? Text(value) : "";

    static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Array ? string.Join(", ", value.EnumerateArray().Select(Text)) : value.ToString();
}
