using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Access;

/// <summary>The service keys that an operator fixed by environment (contract §1.9), and how long sandbox tokens live. It holds keys: it never prints.</summary>
public sealed class AccessOptions
{
    public required IReadOnlyList<ServiceKey> ServiceKeys { get; init; }

    public required TimeSpan SandboxTokenLife { get; init; }

    public static AccessOptions Read(Settings settings)
    {
        (string Variable, string Name, string[] Scopes)[] known =
        [
            ("SLACKBOT_API_KEY", "service:slackbot", ["agent"]),
            ("LOCAL_DEV_API_KEY", "service:local-dev", ["admin", "agent", "threads", "tools:*"]),
            ("MONITORING_OPERATOR_API_KEY", "service:monitoring-ui", ["admin"]),
        ];
        return new AccessOptions
        {
            ServiceKeys = known
                .Select(k => (Token: settings.Variable(k.Variable), Key: k))
                .Where(k => k.Token is not null)
                .Select(k => new ServiceKey(k.Token!, k.Key.Name, k.Key.Scopes))
                .ToList(),
            SandboxTokenLife = TimeSpan.FromSeconds(settings.Root.Section("access").Number("sandbox_token_seconds", 7200, 60, 86_400)),
        };
    }
}

public sealed record ServiceKey(string Token, string Name, IReadOnlyList<string> Scopes)
{
    /// <summary>The token never prints.</summary>
    public override string ToString() => Name;
}
