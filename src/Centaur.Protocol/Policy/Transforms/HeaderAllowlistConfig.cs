using System.Text.RegularExpressions;

namespace Centaur.Protocol.Policy.Transforms;

/// <summary>The headers that a client may send; every other does not leave.</summary>
public sealed record HeaderAllowlistConfig : TransformConfig
{
    /// <summary>Names, any case, and <c>/expressions/</c> over names.</summary>
    public required IReadOnlyList<string> Headers { get; init; }

    public override IReadOnlyList<SourceUse> Uses => [];

    private protected override IEnumerable<string> OwnProblems()
    {
        foreach (var header in Headers)
        {
            if (BindingForm.HeaderProblem(header) is { } problem)
                yield return problem;
            else if (header.StartsWith('/') && !IsExpression(header[1..^1]))
                yield return $"{header} is not a regular expression";
        }

        if (Headers.Count == 0)
            yield return "needs \"headers\"";
        if (Rules.Count == 0)
            yield return "needs \"rules\"; the host \"*\" is every name";
    }

    static bool IsExpression(string text)
    {
        try
        {
            _ = Regex.Match("", text, RegexOptions.None, TimeSpan.FromMilliseconds(50));
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
