using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets.Transforms;

/// <summary>Where transforms contradict the rest of <c>egress</c>: said at the start, before a turn is refused for it.</summary>
internal static class TransformChecks
{
    public static void Run(SettingsSection egress, EgressOptions options)
    {
        foreach (var transform in options.Transforms)
        {
            if (transform.Uses.FirstOrDefault(use => options.Secrets.Contains(use.Name)) is { } seen)
                egress.Report("secrets", $"names {seen.Name}, which {transform.Name} keeps from sandboxes: a sandbox would hold a placeholder of it");
            foreach (var rule in transform.Rules)
            {
                if (rule.Hosts.FirstOrDefault(options.PassesThrough) is { } unread)
                    egress.Report("passthrough", $"names {unread}, which is never looked into, and {transform.Name} is for it");
            }

            foreach (var entry in options.Map.Where(entry => Receives(transform, entry)))
            {
                if (transform.Uses.FirstOrDefault(use => use.Confidential && !entry.Secrets.Contains(use.Name)) is { } missing)
                    egress.Report("map", $"leads {entry.Host} to an address whose entry does not name the secret {missing.Name} among its secrets, and {transform.Name} would send it there");
            }
        }
    }

    static bool Receives(TransformConfig transform, UpstreamMap entry) =>
        transform.Rules.Any(rule => rule.Hosts.Contains(entry.Host) && (rule.Ports.Count == 0 ? entry.Port is 443 : rule.Ports.Contains(entry.Port)))
        || (transform is OAuthTokenConfig token && Uri.TryCreate(token.TokenEndpoint, UriKind.Absolute, out var endpoint) && endpoint.IdnHost == entry.Host && endpoint.Port == entry.Port);
}
