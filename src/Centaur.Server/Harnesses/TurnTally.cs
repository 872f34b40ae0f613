namespace Centaur.Server.Harnesses;

/// <summary>What is counted of a turn for its summary (contract §2.3), stored with the events that it counts.</summary>
internal sealed class TurnTally
{
    public int RawEvents { get; set; }

    public int ToolUses { get; set; }

    public int ToolResults { get; set; }

    public int Commands { get; set; }

    public int Errors { get; set; }

    /// <summary>Milliseconds from the execution's start to the first text that its harness wrote; null while it has written none.</summary>
    public long? FirstTextMs { get; set; }

    public double? CostUsd { get; set; }

    /// <summary>The models that answered, in order of appearance.</summary>
    public List<string> Models { get; init; } = [];

    public Dictionary<string, int> ToolCalls { get; init; } = [];
}
