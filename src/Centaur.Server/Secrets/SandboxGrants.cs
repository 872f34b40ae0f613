using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;

namespace Centaur.Server.Secrets;

/// <summary>Gathers what a sandbox gets before a turn: its placeholders, its proxy's policy and the grant that the broker must know first.</summary>
public sealed class SandboxGrants(SecretStore store, BrokerTickets tickets, EgressOptions egress, Databases databases)
{
    /// <summary>The secrets that every agent's sandbox is granted besides its model's key, as far as they are set.</summary>
    internal Task<IReadOnlyList<SecretModel>> GrantedToAll(CancellationToken cancellationToken) => store.Find(egress.Secrets, cancellationToken);

    /// <summary>Prepares a turn; nothing is in force until the grant and then the policy were accepted.</summary>
    /// <param name="subject">Whose turn it is.</param>
    /// <param name="model">The model that the harness asks.</param>
    /// <param name="cancellationToken">Cancels the look-ups.</param>
    public async Task<SandboxGrant> Prepare(PolicySubject subject, ModelEndpoint model, CancellationToken cancellationToken)
    {
        string[] shown = [.. egress.Secrets, .. model.Key is { } key ? (string[])[key] : []];
        string[] wanted = [.. shown, .. egress.Unseen];
        var secrets = await store.Find(wanted, cancellationToken);
        var held = secrets.Where(s => shown.Contains(s.Name)).ToList();
        var placeholders = await store.Placeholders(subject.SandboxId, held.Select(s => s.Name).ToList(), cancellationToken);
        return new SandboxGrant(
            new GrantSecrets(subject.SandboxId, tickets.For(subject.SandboxId), secrets.Select(s => new GrantedSecret(s.Name, s.Source)).ToList()),
            PolicyBuilder.Build(subject, held, placeholders, model, egress, databases.For(subject.SandboxId)),
            new Dictionary<string, string>([.. placeholders, .. databases.Variables(subject.SandboxId)], StringComparer.Ordinal),
            wanted.Except(secrets.Select(s => s.Name)).ToList());
    }
}

/// <param name="Grant">For the broker, which must accept it before the policy is sent.</param>
/// <param name="Policy">For the proxy.</param>
/// <param name="Environment">For the harness's environment, by secret name: placeholders, and DSNs that lead to the proxy.</param>
/// <param name="Missing">Secrets that were asked for and are not set: a model key among them means that the turn cannot work.</param>
public sealed record SandboxGrant(GrantSecrets Grant, ProxyPolicy Policy, IReadOnlyDictionary<string, string> Environment, IReadOnlyList<string> Missing)
{
    /// <summary>The ticket never prints.</summary>
    public override string ToString() => $"SandboxGrant {{ SandboxId = {Grant.SandboxId}, Version = {Policy.Version} }}";
}
