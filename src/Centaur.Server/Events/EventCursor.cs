using System.Globalization;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Events;

/// <summary>What a reader of a thread's events asked for. Nonsense is refused in plain words rather than read as zero.</summary>
/// <param name="AfterEventId">The last event that the reader has.</param>
/// <param name="ExecutionId">One execution alone; null for all.</param>
/// <param name="Live">Whether deltas are wanted before they are stored.</param>
internal sealed record EventCursor(long AfterEventId, string? ExecutionId, bool Live)
{
    public static Outcome<EventCursor> Read(HttpRequest request)
    {
        var query = request.Query;
        if (!TryRead(query["after_event_id"], out var after))
            return Refuse("after_event_id", "must be the id of an event: a whole number that is not negative");
        if (!TryRead(request.Headers["Last-Event-ID"], out var last))
            return Refuse("Last-Event-ID", "must be the id of an event: a whole number that is not negative");
        if (query["poll_ms"].ToString() is { Length: > 0 } poll && !int.TryParse(poll, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return Refuse("poll_ms", "must be a whole number");
        if (query["live"].ToString() is not ("" or "0" or "1" or "true" or "false") and var live)
            return Refuse("live", $"is \"{live}\"; it must be 0 or 1");

        // A browser reconnects to the same address with a newer Last-Event-ID.
        return new EventCursor(Math.Max(after, last), query["execution_id"].ToString() is { Length: > 0 } id ? id : null, query["live"].ToString() is "1" or "true");
    }

    static bool TryRead(Microsoft.Extensions.Primitives.StringValues text, out long cursor)
    {
        cursor = 0;
        return text.Count == 0 || (text.Count == 1 && text[0] is "") || (text.Count == 1 && long.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out cursor));
    }

    static ApiFailure Refuse(string name, string why) => ApiFailure.Detail(StatusCodes.Status400BadRequest, $"{name} {why}.");
}
