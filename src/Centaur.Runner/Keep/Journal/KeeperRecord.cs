using System.Text.Json.Serialization;

namespace Centaur.Runner.Keep.Journal;

/// <summary>One line of what a keeper remembers besides frames; each line changes what its members name. Never a token.</summary>
internal sealed record KeeperRecord
{
    public long? Generation { get; init; }

    public long? PolicyVersion { get; init; }

    public string? ThreadKey { get; init; }

    public string? TraceId { get; init; }

    /// <summary>The turn that was given to the harness with this line.</summary>
    public string? Delivered { get; init; }

    /// <summary>The steering message that was given to the harness with this line, and whether it was applied.</summary>
    public string? Steered { get; init; }

    public string? Disposition { get; init; }

    /// <summary>The turn that ended with this line.</summary>
    public string? Ended { get; init; }

    /// <summary>The jail was built, so this sandbox can only be replayed from now on.</summary>
    public bool? Born { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeeperRecord))]
internal sealed partial class KeeperRecordJson : JsonSerializerContext;
