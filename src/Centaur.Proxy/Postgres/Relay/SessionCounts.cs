namespace Centaur.Proxy.Postgres.Relay;

/// <summary>What one session did, for its outcome in the audit.</summary>
sealed class SessionCounts
{
    readonly SortedDictionary<string, long> kinds = new(StringComparer.Ordinal);

    /// <summary>Simple queries and executions of portals.</summary>
    public long Queries { get; set; }

    public long Refused { get; set; }

    public long BytesSent { get; set; }

    public long BytesReceived { get; set; }

    /// <summary>How many statements of each kind were passed on.</summary>
    public IReadOnlyDictionary<string, long> Kinds => kinds;

    public void Add(string kind) => kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
}
