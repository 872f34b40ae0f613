namespace Centaur.Cli;

/// <summary>
/// What Ctrl-C does. The first signal asks the command to end. A later one ends the process at once, but neither in the first second, because the same Ctrl-C
/// comes more than once (<c>timeout</c> signals its child and then the child's group), nor while the command tells the server what must still be told.
/// </summary>
internal sealed class Interruption(TimeProvider time) : IDisposable
{
    static readonly TimeSpan SamePress = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource asked = new();
    readonly Lock gate = new();
    long? first;
    int unsaid;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => asked.Token;

    /// <summary>A signal has come.</summary>
    /// <returns>False where it ends the process at once.</returns>
    public bool Signal()
    {
        lock (gate)
        {
            if (first is { } since)
                return unsaid > 0 || time.GetElapsedTime(since) < SamePress;
            first = time.GetTimestamp();
        }

        asked.Cancel();
        return true;
    }

    /// <summary>No signal ends the process at once until what this returns is disposed. Whoever holds it has a limit of its own.</summary>
    public IDisposable UntilTold()
    {
        lock (gate)
            unsaid++;
        return new Told(this);
    }

    public void Dispose() => asked.Dispose();

    sealed class Told(Interruption interruption) : IDisposable
    {
        bool isDisposed;

        public void Dispose()
        {
            lock (interruption.gate)
            {
                if (!isDisposed)
                    interruption.unsaid--;
                isDisposed = true;
            }
        }
    }
}
