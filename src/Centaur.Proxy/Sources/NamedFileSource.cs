namespace Centaur.Proxy.Sources;

/// <summary>Files that the operator of a stand-alone proxy named by their paths, links and modes as he made them.</summary>
sealed class NamedFileSource : IValueSource
{
    public Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken) => ValueFile.Read(reference, cancellationToken);
}
