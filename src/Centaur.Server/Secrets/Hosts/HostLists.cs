using System.Text.RegularExpressions;
using Centaur.Protocol.Host;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets.Hosts;

/// <summary>
/// Lists of hosts by name: those that are built in, and those of <c>egress.lists</c>, which win. A word without a dot is the name of a list, wherever hosts are allowed; no host has such a name
/// but one of <c>egress.map</c>.
/// </summary>
internal sealed partial class HostLists
{
    readonly Dictionary<string, IReadOnlyList<string>> lists = new(BuiltInLists.All, StringComparer.Ordinal);
    readonly IReadOnlyCollection<string> mapped;

    /// <param name="egress">The operator's section.</param>
    /// <param name="mapped">The hosts of his map.</param>
    public HostLists(SettingsSection egress, IReadOnlyCollection<string> mapped)
    {
        this.mapped = mapped;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, hosts) in egress.Items("lists", ReadList))
        {
            if (!seen.Add(name))
                egress.Report("lists", $"name {name} twice");
            lists[name] = hosts;
        }
    }

    public bool Has(string word) => !mapped.Contains(word) && lists.ContainsKey(word);

    /// <summary>The hosts that a word stands for: those of the list of that name, or itself. What is neither is reported.</summary>
    public IReadOnlyList<string> Expand(SettingsSection at, string key, string word)
    {
        var lower = word.ToLowerInvariant();
        if (Has(lower))
            return lists[lower];
        if (Problem(lower) is { } problem)
            at.Report(key, problem);
        return [lower];
    }

    string? Problem(string word)
    {
        if (word == "*" || word.Contains(':', StringComparison.Ordinal) && System.Net.IPAddress.TryParse(word, out _) || mapped.Contains(word))
            return null;
        if (!BindingForm.IsHost(word))
            return $"\"{word}\" is not a host: write it without scheme, port and path, for example api.example.com or *.example.com";
        if (word.Contains('.', StringComparison.Ordinal))
            return null;
        var known = lists.Keys.Order(StringComparer.Ordinal).ToList();
        var meant = NearestName.Near(word, known);
        return $"\"{word}\" is no list of hosts; a word without a dot names one. Known: {string.Join(", ", known)}{(meant is null ? "" : $". Did you mean {meant}?")}";
    }

    (string Name, IReadOnlyList<string> Hosts) ReadList(SettingsSection list, int index)
    {
        var name = list.Required("name");
        if (name.Length > 0 && !ListName().IsMatch(name))
            list.Report("name", $"\"{name}\" must be lower-case letters, digits and hyphens, without a dot");
        var hosts = list.Texts("hosts").Select(host => host.ToLowerInvariant()).ToList();
        if (hosts.Count == 0)
            list.Report("hosts", "must name at least one host");
        foreach (var host in hosts.Where(host => !mapped.Contains(host) && (!BindingForm.IsHost(host) || !host.Contains('.', StringComparison.Ordinal))))
            list.Report("hosts", $"\"{host}\" is not a host, and a list holds no lists: write api.example.com or *.example.com");
        return (name, hosts);
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex ListName();
}
