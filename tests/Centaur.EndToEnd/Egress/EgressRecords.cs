using System.Net.Http.Json;
using System.Text.Json;

namespace Centaur.EndToEnd.Egress;

/// <summary>What the record says of one thread.</summary>
internal static class EgressRecords
{
    /// <summary>Waits until the records are whole: the last outcomes come a moment after the turn's end.</summary>
    public static async Task<List<JsonElement>> Of(Installation installation, Conversation conversation, Func<List<JsonElement>, bool> whole, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var records = new List<JsonElement>();
            for (long after = 0; ;)
            {
                var page = await installation.Http.GetFromJsonAsync<JsonElement>($"/agent/threads/{Uri.EscapeDataString(conversation.ThreadKey)}/egress?after={after}&limit=500", limit.Token);
                var entries = page.GetProperty("records").EnumerateArray().ToList();
                if (entries.Count == 0)
                    break;
                records.AddRange(entries.Select(entry => entry.GetProperty("record")));
                after = entries[^1].GetProperty("record_id").GetInt64();
            }

            if (whole(records))
                return records;
            await Task.Delay(50, limit.Token);
        }
    }

    /// <summary>Every request has its end.</summary>
    public static Task<List<JsonElement>> Whole(Installation installation, Conversation conversation, CancellationToken cancellationToken) =>
        Of(installation, conversation, records => records.Count > 0 && records.Count(record => record.Text("kind") == "intent") == records.Count(record => record.Text("kind") == "outcome"), cancellationToken);

    public static string Text(this JsonElement record, string name) => record.TryGetProperty(name, out var value) ? value.ToString() : "";
}
