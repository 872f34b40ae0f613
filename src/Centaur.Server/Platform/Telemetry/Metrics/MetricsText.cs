using System.Globalization;
using System.Text;

namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary>Writes metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).</summary>
internal sealed class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    readonly StringBuilder text = new();

    public void Write(RequestMetrics requests)
    {
        Head("http_requests_total", "Requests answered, by method, route template and status.", "counter");
        foreach (var (labels, count) in requests.Counts.OrderBy(c => c.Labels))
            Sample("http_requests_total", $"method=\"{labels.Method}\",route=\"{Escaped(labels.Route)}\",status=\"{labels.Status}\"", count);

        const string Duration = "http_request_duration_seconds";
        Head(Duration, "Time until the answer's last byte, by method and route template; streams count when they end.", "histogram");
        foreach (var (labels, durations) in requests.Times.OrderBy(t => t.Labels))
        {
            var set = $"method=\"{labels.Method}\",route=\"{Escaped(labels.Route)}\"";
            var buckets = durations.Cumulative();
            for (var n = 0; n < RequestMetrics.Bounds.Count; n++)
                Sample($"{Duration}_bucket", $"{set},le=\"{Number(RequestMetrics.Bounds[n])}\"", buckets[n]);
            Sample($"{Duration}_bucket", $"{set},le=\"+Inf\"", buckets[^1]);
            Sample($"{Duration}_sum", set, durations.Seconds);
            Sample($"{Duration}_count", set, buckets[^1]);
        }
    }

    public void Write(Gauge gauge)
    {
        Head(gauge.Name, gauge.Help, "gauge");
        foreach (var (value, amount) in gauge.Samples)
            Sample(gauge.Name, gauge.Label is null ? "" : $"{gauge.Label}=\"{Escaped(value)}\"", amount);
    }

    public void Write(Counter counter)
    {
        Head(counter.Name, counter.Help, "counter");
        foreach (var (value, count) in counter.Samples)
            Sample(counter.Name, $"{counter.Label}=\"{Escaped(value)}\"", count);
    }

    public override string ToString() => text.ToString();

    void Head(string name, string help, string type) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    void Sample(string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
