using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres.Relay;

namespace Centaur.Proxy.Audit;

/// <summary>The records of database sessions. Statements are told by their kind; their texts and parameters never come here.</summary>
sealed partial class AuditTrail
{
    public void ConcludeSession(PolicyModel policy, string id, Authority target, SessionCounts counts, TimeSpan duration, string? cause)
    {
        var json = Begin("outcome", policy);
        json.WriteString("id", id);
        json.WriteString("host", target.Host);
        json.WriteNumber("bytes_sent", counts.BytesSent);
        json.WriteNumber("bytes_received", counts.BytesReceived);
        json.WriteNumber("duration_ms", Math.Round(duration.TotalMilliseconds, 3));
        json.WriteNumber("queries", counts.Queries);
        json.WriteNumber("refused", counts.Refused);
        json.WriteStartObject("statements");
        foreach (var (kind, count) in counts.Kinds)
            json.WriteNumber(kind, count);
        json.WriteEndObject();
        if (cause is not null)
            json.WriteString("cause", cause);
        Finish(json);
        file.Defer(buffer!.WrittenSpan);
    }

    /// <param name="policy">In force.</param>
    /// <param name="id">The session's; empty before there is one.</param>
    /// <param name="statement">The kind of statement; <c>session</c> where the session itself was refused.</param>
    /// <param name="database">As the client named it.</param>
    /// <param name="cause">Why.</param>
    /// <param name="sqlState">What the client was answered with.</param>
    public void RefusedStatement(PolicyModel policy, string id, string statement, string database, string cause, string sqlState)
    {
        var json = Begin("refusal", policy);
        if (id.Length > 0)
            json.WriteString("id", id);
        json.WriteString("method", "POSTGRES");
        if (database.Length > 0)
            json.WriteString("path", "/" + database);
        json.WriteString("statement", statement);
        json.WriteString("sqlstate", sqlState);
        json.WriteString("cause", cause);
        End(json);
    }
}
