using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Policies;

/// <summary>Turns a policy as it crosses the border into the snapshot that is enforced, or says everything that is wrong with it.</summary>
static class PolicyCompiler
{
    const int ShortestPlaceholder = 8;

    public static bool TryCompile(ProxyPolicy policy, out PolicyModel model, out string problems)
    {
        var wrong = new List<string>();
        var rules = policy.Allow.Select(rule => Compile(rule, wrong)).ToArray();
        var passthrough = Hosts(policy.Passthrough, "passthrough", wrong);
        var secrets = policy.Secrets.Select(secret => Compile(secret, wrong)).ToArray();
        var transforms = TransformCompiler.Compile(policy.Transforms, wrong);
        CheckPlaceholders(policy.Secrets, wrong);
        CheckDatabases(policy.Databases, wrong);
        CheckPassthrough(policy, passthrough, wrong);
        var known = transforms.SecretNames.Concat(policy.Secrets.Select(secret => secret.Name)).ToHashSet(StringComparer.Ordinal);
        var map = policy.Map.Select(entry => Compile(entry, known, wrong)).ToArray();
        foreach (var twice in map.GroupBy(entry => (entry.Host, entry.Port)).Where(group => group.Count() > 1))
            wrong.Add($"map: {twice.Key.Host}:{twice.Key.Port} is named twice");

        problems = string.Join("; ", wrong);
        model = wrong.Count == 0 ? new PolicyModel(policy, rules, secrets, passthrough, map) { Transforms = transforms } : PolicyModel.DenyAll;
        return wrong.Count == 0;
    }

    /// <summary>Compiles one rule; what is wrong with it is added to <paramref name="wrong"/>.</summary>
    public static RuleModel Compile(EgressRule rule, List<string> wrong)
    {
        var where = $"rule \"{rule.Name}\"";
        if (rule.Hosts.Count == 0)
            wrong.Add($"{where} names no host");
        foreach (var port in rule.Ports.Where(port => port is < 1 or > 65535))
            wrong.Add($"{where}: {port} is not a port");
        return new RuleModel(rule.Name, Hosts(rule.Hosts, where, wrong), [.. rule.Ports], Methods(rule.Methods), Paths(rule.Paths, where, wrong)) { WebSocket = rule.WebSocket, Metered = rule.Metered };
    }

    static SecretModel Compile(SecretGrant grant, List<string> wrong)
    {
        var where = $"secret \"{grant.Name}\"";
        return new SecretModel(grant.Name, grant.Placeholder, [.. grant.Bindings.Select(binding => Compile(binding, where, wrong))]);
    }

    static BindingModel Compile(SecretBinding binding, string where, List<string> wrong)
    {
        if (binding.Hosts.Count == 0)
            wrong.Add($"{where} has a binding without a host");
        var expressions = new List<Regex>();
        foreach (var header in binding.Headers.Where(IsExpression))
        {
            try
            {
                expressions.Add(new Regex(header[1..^1], RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(50)));
            }
            catch (ArgumentException)
            {
                wrong.Add($"{where}: {header} is not a regular expression");
            }
        }

        return new BindingModel(
            Hosts(binding.Hosts, where, wrong), Methods(binding.Methods), Paths(binding.Paths, where, wrong),
            [.. binding.Headers.Where(header => !IsExpression(header))], [.. expressions], binding.Headers.Contains("*"),
            [.. binding.Query], binding.InPath, binding.InBody);
    }

    static UpstreamMap Compile(UpstreamMap entry, HashSet<string> known, List<string> wrong)
    {
        var where = $"map {entry.Host}:{entry.Port}";
        if (!HostName.TryCanonical(entry.Host, out var host, out _))
            wrong.Add($"{where}: not a host");
        if (entry.Port is < 1 or > 65535 || entry.TargetPort is < 1 or > 65535)
            wrong.Add($"{where}: a port lies between 1 and 65535");
        if (!IPAddress.TryParse(entry.Address, out _))
            wrong.Add($"{where}: \"{entry.Address}\" is not an IP address");
        foreach (var name in entry.Secrets.Where(name => !known.Contains(name)))
            wrong.Add($"{where}: secret \"{name}\" is not granted");
        if (entry.CaCertificate is { } pem && !IsCertificate(pem))
            wrong.Add($"{where}: the CA is not a PEM certificate");
        return entry with { Host = host };
    }

    static void CheckPlaceholders(IReadOnlyList<SecretGrant> secrets, List<string> wrong)
    {
        foreach (var twice in secrets.GroupBy(secret => secret.Name).Where(group => group.Count() > 1))
            wrong.Add($"secret \"{twice.Key}\" is granted twice");
        for (var i = 0; i < secrets.Count; i++)
        {
            if (secrets[i].Placeholder.Length < ShortestPlaceholder || secrets[i].Placeholder.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('_' or '-' or '.')))
                wrong.Add($"secret \"{secrets[i].Name}\": a placeholder has at least {ShortestPlaceholder} letters, digits, '-', '_' or '.'");
            for (var j = 0; j < secrets.Count; j++)
            {
                if (i != j && secrets[i].Placeholder.Contains(secrets[j].Placeholder, StringComparison.OrdinalIgnoreCase))
                    wrong.Add($"the placeholder of \"{secrets[i].Name}\" contains that of \"{secrets[j].Name}\"");
            }
        }
    }

    static void CheckDatabases(DatabaseAccess? databases, List<string> wrong)
    {
        if (databases is null)
            return;
        if (databases.User.Length == 0 || databases.Password.Length == 0 || databases.Password.Any(letter => letter is < ' ' or > '~'))
            wrong.Add("databases: user and password must be there, the password of printable ASCII characters");
        foreach (var twice in databases.Databases.GroupBy(database => database.Database).Where(group => group.Count() > 1))
            wrong.Add($"database \"{twice.Key}\" is named twice");
        foreach (var database in databases.Databases)
            wrong.AddRange(database.Problems().Select(problem => $"database \"{database.Database}\": {problem}"));
    }

    static void CheckPassthrough(ProxyPolicy policy, HostPattern[] passthrough, List<string> wrong)
    {
        var bound = policy.Secrets.SelectMany(secret => secret.Bindings.SelectMany(binding => binding.Hosts), (secret, host) => (secret.Name, host));
        foreach (var (name, host) in bound.Where(pair => HostPatterns.Any(passthrough, pair.host.Replace("*.", "", StringComparison.Ordinal), isAddress: false)))
            wrong.Add($"secret \"{name}\" is bound to {host}, which is passed through and never looked into");
        foreach (var transform in policy.Transforms)
        {
            foreach (var host in transform.Rules.SelectMany(rule => rule.Hosts).Where(host => HostPatterns.Any(passthrough, host.Replace("*.", "", StringComparison.Ordinal), isAddress: false)))
                wrong.Add($"{transform.Name} is for {host}, which is passed through and never looked into");
        }
    }

    static HostPattern[] Hosts(IReadOnlyList<string> texts, string where, List<string> wrong)
    {
        var patterns = new List<HostPattern>(texts.Count);
        foreach (var text in texts)
        {
            if (HostPattern.TryParse(text, out var pattern))
                patterns.Add(pattern);
            else
                wrong.Add($"{where}: \"{text}\" is not a host, *.host or *");
        }

        return [.. patterns];
    }

    static PathPattern[] Paths(IReadOnlyList<string> texts, string where, List<string> wrong)
    {
        var patterns = new List<PathPattern>(texts.Count);
        foreach (var text in texts)
        {
            if (PathPattern.TryParse(text, out var pattern))
                patterns.Add(pattern);
            else
                wrong.Add($"{where}: the path \"{text}\" does not start with a slash");
        }

        return [.. patterns];
    }

    static string[] Methods(IReadOnlyList<string> methods) => methods.Contains("*") ? [] : [.. methods.Select(method => method.ToUpperInvariant())];

    static bool IsExpression(string header) => header.Length > 2 && header[0] == '/' && header[^1] == '/';

    static bool IsCertificate(string pem)
    {
        try
        {
            X509Certificate2.CreateFromPem(pem).Dispose();
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
