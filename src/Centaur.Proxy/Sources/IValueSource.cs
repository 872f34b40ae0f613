namespace Centaur.Proxy.Sources;

/// <summary>One kind of place that values come from. It reads when it is asked and keeps nothing; what a reference looks like is its own.</summary>
interface IValueSource
{
    /// <summary>Reads a value within the source's own limits of time and size. What goes wrong is an answer, not an exception.</summary>
    /// <param name="reference">Where the value is.</param>
    /// <param name="cancellationToken">Ends the reading, and whatever was started for it.</param>
    Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken);
}
