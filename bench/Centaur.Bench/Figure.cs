using System.Globalization;
using System.Text.Json.Serialization;

namespace Centaur.Bench;

/// <summary>One measured figure beside its yardstick, and the goal that it must reach (design §9).</summary>
internal sealed record Figure
{
    public required string Name { get; init; }
    public required double Value { get; init; }
    public required string Unit { get; init; }

    /// <summary>What the same run measured of the thing it is compared with; null where the goal is absolute.</summary>
    public double? Yardstick { get; init; }

    public double? Ratio => Yardstick is { } yardstick && yardstick > 0 ? Math.Round(Value / yardstick, 4) : null;

    /// <summary>In words, for example <c>≤ 2000 ms</c> or <c>≥ 0.7 ×</c>.</summary>
    public required string Goal { get; init; }
    public required bool Holds { get; init; }

    /// <summary>An absolute figure that must not be above its goal.</summary>
    public static Figure AtMost(string name, double value, string unit, double goal) =>
        new() { Name = name, Value = Math.Round(value, 3), Unit = unit, Goal = string.Create(CultureInfo.InvariantCulture, $"≤ {goal} {unit}"), Holds = value <= goal };

    /// <summary>An absolute figure that must not be above its goal, beside what the same run measured without us.</summary>
    public static Figure AtMost(string name, double value, string unit, double goal, double yardstick) =>
        AtMost(name, value, unit, goal) with { Yardstick = Math.Round(yardstick, 3) };

    /// <summary>A figure that has no goal and explains one that has.</summary>
    public static Figure Told(string name, double value, string unit, double? yardstick = null) =>
        new() { Name = name, Value = Math.Round(value, 3), Unit = unit, Yardstick = yardstick, Goal = "none", Holds = true };

    /// <summary>A figure that must be at least so many times its yardstick.</summary>
    public static Figure AtLeastTimes(string name, double value, string unit, double yardstick, double goal) =>
        new()
        {
            Name = name, Value = Math.Round(value, 3), Unit = unit, Yardstick = Math.Round(yardstick, 3),
            Goal = string.Create(CultureInfo.InvariantCulture, $"≥ {goal} ×"), Holds = value >= goal * yardstick,
        };

    public override string ToString()
    {
        var ratio = Ratio is { } times ? string.Create(CultureInfo.InvariantCulture, $"{times:0.00} × of {Yardstick:0.###} {Unit}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{(Holds ? "ok  " : "FAIL")} {Name,-62} {Value,12:0.###} {Unit,-6} {ratio,-28} goal {Goal}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Figure))]
internal sealed partial class FigureJson : JsonSerializerContext;
