namespace Centaur.Proxy.Limits;

/// <summary>What one sandbox may take from its proxy. What lies beyond is answered 429 and never queued.</summary>
sealed record ProxyLimits
{
    public int Connections { get; init; } = 1024;

    public int ConcurrentRequests { get; init; } = 256;

    public int LeafMintsPerMinute { get; init; } = 120;

    public int ConnectHeadBytes { get; init; } = 8 * 1024;

    public int RequestHeadBytes { get; init; } = 32 * 1024;

    public int RequestHeaders { get; init; } = 100;

    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many leaves are kept.</summary>
    public int Leaves { get; init; } = 2048;

    /// <summary>How long an upstream may take from the end of a request to the head of its answer; null for as long as its client waits.</summary>
    public TimeSpan? AnswerTimeout { get; init; }

    /// <summary>The largest body of an answer, as it comes from the upstream; null for any.</summary>
    public long? LargestAnswer { get; init; }
}
