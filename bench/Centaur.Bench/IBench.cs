namespace Centaur.Bench;

/// <summary>One path of the design's table of speeds, measured with the real programs.</summary>
internal interface IBench
{
    /// <summary>What it measures, in a line.</summary>
    string Description { get; }

    /// <summary>Measures; each figure is printed as soon as it is known.</summary>
    IAsyncEnumerable<Figure> Run(BenchContext context, CancellationToken cancellationToken);
}

/// <param name="Dist">The folder of the published programs.</param>
/// <param name="Progress">Where a long measurement says how far it is.</param>
internal sealed record BenchContext(string Dist, TextWriter Progress);
