using Centaur.Protocol.Policy;

namespace Centaur.Server.Secrets.Hosts;

/// <summary>
/// Says where the operator's lists are wider than the tools of a thread need. Pure; nothing is refused for it.
/// <para>1. Everything is open. 2. A pattern covers hosts that anybody can have. 3. Anybody can publish at a host, and neither methods nor paths keep an agent from it. 4. An entry opens several hosts
/// to everybody, and a granted secret opens those of them that its tool needs.</para>
/// </summary>
internal static class EgressWarnings
{
    const string Reading = "GET, HEAD";

    static readonly string[] ReadingMethods = ["GET", "HEAD", "OPTIONS"];

    /// <param name="egress">What the operator allows.</param>
    /// <param name="granted">The secrets that sandboxes are granted, as they are bound.</param>
    public static IReadOnlyList<EgressWarning> Of(EgressOptions egress, IReadOnlyCollection<SecretModel> granted)
    {
        var warnings = new List<EgressWarning>();

        // 1.
        if (egress.Open)
            warnings.Add(new EgressWarning("egress.open", "Every public host may be reached, and whatever an agent reads may be sent to anybody.", "Set egress.open to false, and name what is needed in egress.allow."));

        // 2. and 3.
        foreach (var rule in egress.Allow)
            warnings.AddRange(OfRule(rule));
        foreach (var host in egress.Passthrough)
            warnings.AddRange(OfPassthrough(host));

        // 4.
        foreach (var rule in egress.Allow.Where(rule => rule.Hosts.Count > 1))
            warnings.AddRange(OfSecrets(rule, granted));
        return warnings;
    }

    static IEnumerable<EgressWarning> OfRule(EgressRule rule)
    {
        foreach (var host in rule.Hosts)
        {
            if (SharedHosts.Anybody(host) is { } anybody)
                yield return new EgressWarning(Place(rule), $"{host} is {anybody}: whatever an agent reads may be sent to one of them.", "Name the hosts that are needed.");
        }

        if (!IsLimited(rule) && rule.Hosts.Where(host => SharedHosts.Anybody(host) is null).Select(SharedHosts.Outlet).FirstOrDefault(found => found is not null) is { } outlet)
        {
            yield return new EgressWarning(
                Place(rule), $"Anybody can publish at {outlet}: an agent may leave there what it reads.",
                $"Limit the entry to what is needed: methods: [{Reading}] where it is only read, or paths.");
        }
    }

    static IEnumerable<EgressWarning> OfPassthrough(string host)
    {
        if (SharedHosts.Anybody(host) is { } anybody)
            yield return new EgressWarning("egress.passthrough", $"{host} is {anybody}, and nobody looks into what is sent there.", "Name the hosts that are needed.");
        else if (SharedHosts.Outlet(host) is { } outlet)
            yield return new EgressWarning("egress.passthrough", $"Anybody can publish at {outlet}, and nobody looks into what is sent there.", "Allow it in egress.allow, with methods or paths.");
    }

    static IEnumerable<EgressWarning> OfSecrets(EgressRule rule, IReadOnlyCollection<SecretModel> granted)
    {
        foreach (var secret in granted)
        {
            var bound = secret.Bindings.SelectMany(binding => binding.Hosts).ToList();
            var opened = rule.Hosts.Where(host => bound.Exists(pattern => SharedHosts.Covers(pattern, host))).ToList();
            if (opened.Count == 0 || opened.Count == rule.Hosts.Count)
                continue;
            yield return new EgressWarning(
                Place(rule), $"It opens {rule.Hosts.Count} hosts to every thread, and the secret {secret.Name} opens {string.Join(" and ", opened)} already.",
                "Take the entry away if nothing needs its other hosts, or name those alone.");
        }
    }

    static bool IsLimited(EgressRule rule) =>
        (rule.Methods.Count > 0 && rule.Methods.All(ReadingMethods.Contains)) || (rule.Paths.Count > 0 && !rule.Paths.Contains("/*"));

    static string Place(EgressRule rule) => $"egress.allow, {rule.Name}";
}

/// <param name="Place">What of the configuration is meant.</param>
/// <param name="Meaning">What it lets through, in a sentence.</param>
/// <param name="Remedy">What would be narrower.</param>
public sealed record EgressWarning(string Place, string Meaning, string Remedy);
