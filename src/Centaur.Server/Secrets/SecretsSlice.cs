using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets.Hosts;

namespace Centaur.Server.Secrets;

/// <summary>
/// Names, sources and bindings of secrets, and what of them one sandbox gets: placeholders, a policy for its proxy, grants for the broker. Values are the broker's alone.
/// </summary>
public static class SecretsSlice
{
    public static void AddSecrets(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(EgressOptions.Read(settings));
        services.AddSingleton(ModelOptions.Read(settings));
        SourceSettings.Check(settings);
        services.AddSingleton<SecretStore>();
        services.AddSingleton<BrokerTickets>();
        services.AddSingleton<BrokerClient>();
        services.AddSingleton<Databases>();
        services.AddSingleton<SandboxGrants>();
        services.AddSingleton<ModelChoice>();
        services.AddHostedService<WarningsWorker>();
    }

    public static void MapSecrets(this IEndpointRouteBuilder routes)
    {
        SecretEndpoints.Map(routes);
        RuntimeCredentialEndpoint.Map(routes);
        ModelList.Map(routes);
        WarningsEndpoint.Map(routes);
    }
}
