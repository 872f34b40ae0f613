namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary>What stands in the database now, as one metric.</summary>
/// <param name="Name">In Prometheus' words: lower case, underscores, the unit last.</param>
/// <param name="Help">One line.</param>
/// <param name="Label">The one label of its samples; null where there is one sample.</param>
/// <param name="Samples">By the label's value, which comes from a closed list: never a thread's key, never an id.</param>
public sealed record Gauge(string Name, string Help, string? Label, IReadOnlyList<(string Value, double Amount)> Samples)
{
    public static Gauge Of(string name, string help, double amount) => new(name, help, null, [("", amount)]);

    /// <summary>One sample for each value of the list, zero where nothing was counted.</summary>
    public static Gauge Of(string name, string help, string label, IEnumerable<string> values, IReadOnlyList<(string Value, long Count)> counted) =>
        new(name, help, label, values.Select(v => (v, (double)counted.FirstOrDefault(c => c.Value == v).Count)).ToList());
}

/// <summary>A slice's part of <c>GET /metrics</c>, read from the database when it is asked for.</summary>
public interface IGaugeSource
{
    Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken);
}
