using Centaur.Protocol.Attach;

namespace Centaur.Runner.Keep.Attach;

/// <summary>What a keeper does for the worker that is attached to it, while there is a jail and after.</summary>
internal interface IWorkerDesk
{
    Attached Describe(long generation);

    void Acknowledge(long seq);

    /// <summary>Returns the answer, or null where there is none.</summary>
    /// <param name="message">What the worker asks.</param>
    /// <param name="stands">False once another attachment has taken over: then nothing is done.</param>
    /// <param name="cancellationToken">Ends with the keeper.</param>
    Task<KeeperMessage?> Obey(WorkerMessage message, Func<bool> stands, CancellationToken cancellationToken);

    /// <summary>The attachment ended and none took its place.</summary>
    void Detached();
}
