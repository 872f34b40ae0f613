namespace Centaur.Protocol.Policy.Transforms;

/// <summary>Access tokens of a Google service account, whose key file is the one value.</summary>
public sealed record GcpAuthConfig : TransformConfig
{
    /// <summary>The JSON of the service account.</summary>
    public required SourceUse KeyFile { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>The user that the account acts for, or empty.</summary>
    public string Subject { get; init; } = "";

    public override IReadOnlyList<SourceUse> Uses => [KeyFile];

    private protected override IEnumerable<string> OwnProblems()
    {
        if (Scopes.Count == 0)
            yield return "needs \"scopes\", https://www.googleapis.com/auth/cloud-platform for example";
    }
}
