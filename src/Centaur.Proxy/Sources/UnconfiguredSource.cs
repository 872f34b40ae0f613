namespace Centaur.Proxy.Sources;

/// <summary>Stands for a source that the operator has not set up, and says what is missing.</summary>
sealed class UnconfiguredSource(string what) : IValueSource
{
    public Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken) => Task.FromResult(SourceAnswer.Unavailable(what));
}
