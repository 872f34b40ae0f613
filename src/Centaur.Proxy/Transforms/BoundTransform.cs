using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Transforms;

/// <summary>A transform and the requests that it is for.</summary>
/// <param name="Rules">Alternatives, matched as the rules of the policy are.</param>
/// <param name="Transform">What it does.</param>
/// <param name="Group">Of the transforms of one group only the first whose rules match works; null where each does.</param>
sealed record BoundTransform(RuleModel[] Rules, IRequestTransform Transform, string? Group = null)
{
    public bool CoversHost(string host, bool isAddress) => Rules.Any(rule => rule.CoversHost(host, isAddress));

    /// <summary>True where one rule covers all of it: a host of one rule never goes with the paths of another.</summary>
    public bool Covers(Authority target, string method, string path)
    {
        foreach (var rule in Rules)
        {
            if (rule.CoversHost(target.Host, target.IsAddress) && rule.CoversPort(target.Port) && rule.CoversRoute(method, path))
                return true;
        }

        return false;
    }
}
