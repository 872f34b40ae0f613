using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Policies;

/// <summary>What a policy says about one host, worked out once: a request looks up nothing else.</summary>
/// <param name="Rules">Rules that name this host.</param>
/// <param name="Bindings">Bindings that name this host, each with its secret.</param>
/// <param name="Passthrough">Relayed without interception.</param>
sealed record HostModel(RuleModel[] Rules, BoundSecret[] Bindings, bool Passthrough)
{
    /// <summary>What changes requests to it.</summary>
    public TransformSet Transforms { get; init; } = TransformSet.Empty;

    public bool HoldsSecrets => Bindings.Length > 0 || Transforms.SendsSecrets;

    public bool CoversPort(int port)
    {
        foreach (var rule in Rules)
        {
            if (rule.CoversPort(port))
                return true;
        }

        return false;
    }

    /// <summary>The first rule that covers the request; of one that would become a WebSocket, the first that allows it.</summary>
    public RuleModel? RuleFor(int port, string method, string path, bool webSocket = false)
    {
        foreach (var rule in Rules)
        {
            if (rule.CoversPort(port) && rule.CoversRoute(method, path) && (rule.WebSocket || !webSocket))
                return rule;
        }

        return null;
    }
}

readonly record struct BoundSecret(SecretModel Secret, BindingModel Binding);
