using Centaur.Protocol.Policy;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads the <c>rules</c> of a transform: the requests that it is for.</summary>
static class TransformRules
{
    public static IReadOnlyList<EgressRule> Read(YamlMap map)
    {
        var rules = map.Maps("rules").Select(rule => AllowlistReader.ReadRule(rule, "is not supported: transforms are bound to names")).ToList();
        var wrong = new List<string>();
        foreach (var rule in rules)
            PolicyCompiler.Compile(rule, wrong);
        foreach (var problem in wrong)
            map.Error(problem);
        return rules;
    }
}
