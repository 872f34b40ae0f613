namespace Centaur.Server.Platform.Leases;

/// <summary>One holding of the lease, from its taking to its loss. A process that lost its lease takes another under a new worker id; what the old one owned is not its own any more.</summary>
public sealed class LeaseTerm : IDisposable
{
    readonly CancellationTokenSource over = new();

    internal LeaseTerm(string workerId)
    {
        WorkerId = workerId;
        Over = over.Token;
    }

    /// <summary>Never used again after the term.</summary>
    public string WorkerId { get; }

    /// <summary>Cancelled when the lease can no longer be counted on.</summary>
    internal CancellationToken Over { get; }

    /// <summary>True where the lease was lost, and not given back: nothing can be written in its name any more.</summary>
    public bool IsLost { get; private set; }

    public void Dispose() => over.Dispose();

    internal Task End(bool lost)
    {
        IsLost |= lost;
        return over.CancelAsync();
    }
}
