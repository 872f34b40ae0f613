namespace Centaur.Bench;

/// <summary>Samples of one figure, and what lies below which share of them.</summary>
internal sealed class Distribution(IEnumerable<double> samples)
{
    readonly double[] sorted = [.. samples.Order()];

    public int Count => sorted.Length;

    public double Median => At(0.5);

    public double P99 => At(0.99);

    public double Worst => sorted[^1];

    /// <summary>The smallest sample that at least this share of all does not exceed.</summary>
    public double At(double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}
