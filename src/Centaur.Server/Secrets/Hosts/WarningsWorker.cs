using Centaur.Server.Platform.Database;

namespace Centaur.Server.Secrets.Hosts;

/// <summary>Says the warnings in the log once, when a server starts.</summary>
internal sealed class WarningsWorker(SandboxGrants grants, EgressOptions egress, Readiness readiness, ILogger<WarningsWorker> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        IReadOnlyCollection<SecretModel> granted = [];
        try
        {
            granted = await grants.GrantedToAll(stoppingToken);
        }
        catch (Npgsql.NpgsqlException)
        {
            // What does not depend on secrets is said all the same; the API says the rest.
        }

        foreach (var warning in EgressWarnings.Of(egress, granted))
            log.WideEgress(warning.Place, warning.Meaning, warning.Remedy);
    }
}
