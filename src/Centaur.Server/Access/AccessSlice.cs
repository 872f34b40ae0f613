using Centaur.Server.Access.Keys;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Microsoft.AspNetCore.OpenApi;

namespace Centaur.Server.Access;

/// <summary>
/// Who calls, and what they may do: API keys with scopes, and sandbox tokens that are bound to one thread. Every route says which scope it needs; a route
/// that says nothing needs <c>admin</c>.
/// </summary>
public static class AccessSlice
{
    public static void AddAccess(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(AccessOptions.Read(settings));
        services.Configure<OpenApiOptions>("v1", KeyDocument.Describe);
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<SandboxTokens>();
        services.AddSingleton<IStartStep, ServiceKeys>();
        services.AddSingleton<IStartStep, FirstKey>();
    }

    public static void UseAccess(this WebApplication app) => app.UseMiddleware<AccessGate>();

    public static void MapAccess(this IEndpointRouteBuilder routes) => routes.MapApiKeys();
}
