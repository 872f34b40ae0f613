using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;

namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>A source that answers what a test says, when it says so, and counts who asks.</summary>
sealed class ScriptedSource : IValueSource
{
    int reads;

    public int Reads => Volatile.Read(ref reads);

    public SourceAnswer Next { get; set; } = SourceAnswer.Unavailable("not scripted");

    /// <summary>While it is set, answers wait for it.</summary>
    public TaskCompletionSource? Held { get; set; }

    public static SourceAnswer Value(string text) => SourceAnswer.Of(Encoding.UTF8.GetBytes(text));

    public SourceReader Reader() => new(new Dictionary<string, IValueSource> { [SecretSourceTypes.File] = this });

    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        if (Held is { } held)
            await held.Task.WaitAsync(cancellationToken);
        return Next;
    }
}
