namespace Centaur.Server.Platform.Database;

/// <summary>Whether the database was reached and migrated once in this process's life. Workers await it before they look at a table.</summary>
public sealed class Readiness
{
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsReady => ready.Task.IsCompletedSuccessfully;

    public Task Wait(CancellationToken cancellationToken) => ready.Task.WaitAsync(cancellationToken);

    internal void Announce() => ready.TrySetResult();
}

/// <summary>What a slice does once, after the migrations and before the server is ready; safe to repeat.</summary>
public interface IStartStep
{
    Task Run(CancellationToken cancellationToken);
}
