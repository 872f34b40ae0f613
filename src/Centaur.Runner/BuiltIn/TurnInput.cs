using System.Text.Json;

namespace Centaur.Runner.BuiltIn;

/// <summary>A user message, what is added to it while its turn runs, and the wish to end it. Written by the reader of the input, read by the turn.</summary>
internal sealed class TurnInput(JsonElement message) : IDisposable
{
    readonly Lock gate = new();
    readonly CancellationTokenSource interrupted = new();
    readonly List<JsonElement> steering = [];
    bool closed;

    public JsonElement Message => message;

    public CancellationToken Interrupted => interrupted.Token;

    /// <returns>False once the turn takes nothing more.</returns>
    public bool Steer(JsonElement more)
    {
        lock (gate)
        {
            if (!closed)
                steering.Add(more);
            return !closed;
        }
    }

    public void Interrupt()
    {
        lock (gate)
        {
            if (closed)
                return;
        }

        interrupted.Cancel();
    }

    public IReadOnlyList<JsonElement> TakeSteering()
    {
        lock (gate)
        {
            JsonElement[] taken = [.. steering];
            steering.Clear();
            return taken;
        }
    }

    /// <summary>Closes the turn unless words wait for it; between this and the result nothing can slip in.</summary>
    public bool TryClose()
    {
        lock (gate)
        {
            closed = steering.Count == 0;
            return closed;
        }
    }

    /// <summary>Closes the turn whatever waits.</summary>
    public void Close()
    {
        lock (gate)
            closed = true;
    }

    public void Dispose()
    {
        Close();
        interrupted.Dispose();
    }
}
