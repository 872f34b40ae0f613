using System.Collections.Frozen;

namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary>What this process has counted since it began, as one metric. Register each one as a singleton: <c>GET /metrics</c> shows all of them.</summary>
/// <param name="name">In Prometheus' words: lower case, underscores, <c>_total</c> last.</param>
/// <param name="help">One line.</param>
/// <param name="label">The one label of its samples.</param>
/// <param name="values">The label's values: a closed list, never a thread's key, never an id.</param>
public sealed class Counter(string name, string help, string label, params IReadOnlyList<string> values)
{
    readonly FrozenDictionary<string, Cell> cells = values.ToFrozenDictionary(value => value, _ => new Cell(), StringComparer.Ordinal);

    public string Name => name;

    public string Help => help;

    public string Label => label;

    public IEnumerable<(string Value, long Count)> Samples => values.Select(value => (value, Interlocked.Read(ref cells[value].Count)));

    /// <summary>Counts one; a value that is not of the list is counted as the list's last.</summary>
    public void Add(string value) => Interlocked.Increment(ref (cells.TryGetValue(value, out var cell) ? cell : cells[values[^1]]).Count);

    sealed class Cell
    {
        public long Count;
    }
}
