using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>Judges where a tunnel leads, before it is opened.</summary>
static class TunnelJudge
{
    /// <param name="target">Host and port.</param>
    /// <param name="text">What the client said to ask for it, to be searched for placeholders.</param>
    /// <param name="what">What that is called.</param>
    /// <param name="policy">What may be reached.</param>
    public static Refusal? Judge(Authority target, string text, string what, PolicyModel policy)
    {
        if (policy.Mentions(text))
        {
            var secret = policy.Secrets.First(secret => text.Contains(secret.Placeholder, StringComparison.Ordinal));
            return Refusals.Placeholder(secret.Name, what, target.Host);
        }

        var host = policy.For(target.Host, target.IsAddress);
        if (host.Passthrough)
            return null;
        if (host.Rules.Length == 0)
            return Refusals.Host(target, policy);
        return host.CoversPort(target.Port) ? null : Refusals.Port(target, policy);
    }
}
