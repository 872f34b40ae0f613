namespace Centaur.Proxy.Transforms;

/// <summary>All transforms of one policy, in the order in which they work.</summary>
sealed class TransformSet(IEnumerable<BoundTransform> transforms, IEnumerable<TokenStub> stubs)
{
    public static TransformSet Empty { get; } = new([], []);

    public BoundTransform[] Transforms { get; } = [.. transforms.OrderBy(bound => bound.Transform.Stage)];

    /// <summary>Endpoints that are answered here.</summary>
    public TokenStub[] Stubs { get; } = [.. stubs.Distinct()];

    /// <summary>True where some request may carry a secret by them.</summary>
    public bool SendsSecrets { get; } = transforms.Any(bound => bound.Transform.Secrets.Count > 0);

    /// <summary>Names of all secrets that some transform may send.</summary>
    public IReadOnlySet<string> SecretNames => Transforms.SelectMany(bound => bound.Transform.Secrets).ToHashSet(StringComparer.Ordinal);

    /// <summary>What of it can concern requests to this host.</summary>
    public TransformSet For(string host, bool isAddress)
    {
        if (Transforms.Length == 0 && Stubs.Length == 0)
            return Empty;
        return new TransformSet(
            Transforms.Where(bound => bound.CoversHost(host, isAddress)),
            Stubs.Where(stub => string.Equals(stub.Host, host, StringComparison.Ordinal)));
    }
}
