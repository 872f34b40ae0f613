using System.Text.RegularExpressions;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>header_allowlist</c>: the headers that a client may send.</summary>
static class HeaderAllowlistReader
{
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    public static void Read(YamlMap config, TransformReader transforms)
    {
        var names = new List<string>();
        var expressions = new List<Regex>();
        foreach (var header in config.Texts("headers"))
        {
            if (BindingForm.HeaderProblem(header) is { } problem)
                config.Error(problem);
            else if (!header.StartsWith('/'))
                names.Add(header);
            else if (TryCompile(header[1..^1], out var expression))
                expressions.Add(expression);
            else
                config.Error($"{header} is not a regular expression");
        }

        if (names.Count == 0 && expressions.Count == 0)
            config.Error("needs \"headers\"");
        var rules = TransformRules.Any(config);
        if (rules.Length == 0)
            config.Error("needs \"rules\"; the host \"*\" is every name");
        transforms.Transforms.Add(new BoundTransform(rules, new HeaderAllowlistTransform(names, [.. expressions])));
    }

    static bool TryCompile(string text, out Regex expression)
    {
        try
        {
            expression = new Regex(text, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience);
            return true;
        }
        catch (ArgumentException)
        {
            expression = null!;
            return false;
        }
    }
}
