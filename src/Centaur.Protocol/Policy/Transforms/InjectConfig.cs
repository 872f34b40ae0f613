namespace Centaur.Protocol.Policy.Transforms;

/// <summary>A secret that is set in a header or a parameter of the query, whatever the client sent there.</summary>
public sealed record InjectConfig : TransformConfig
{
    /// <summary>The fields of <see cref="Formatter"/>.</summary>
    public static IReadOnlyList<string> Fields { get; } = ["Value"];

    public required SourceUse Source { get; init; }

    /// <summary>The header; null where it is a parameter.</summary>
    public string? Header { get; init; }

    /// <summary>The parameter of the query; null where it is a header.</summary>
    public string? QueryParam { get; init; }

    /// <summary>What is written, as a template.</summary>
    public string Formatter { get; init; } = "{{ .Value }}";

    public override IReadOnlyList<SourceUse> Uses => [Source];

    private protected override IEnumerable<string> OwnProblems()
    {
        if (string.IsNullOrEmpty(Header) == string.IsNullOrEmpty(QueryParam))
            yield return "needs either \"header\" or \"query_param\"";
        else if (Header is { Length: > 0 } && TransformForm.HeaderProblem(Header) is { } header)
            yield return header;
        if (TransformForm.TemplateProblem("formatter", Formatter, Fields) is { } template)
            yield return template;
    }
}
