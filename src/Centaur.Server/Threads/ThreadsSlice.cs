using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Threads.Messages;
using Centaur.Server.Threads.Overview;
using Centaur.Server.Threads.Query;
using Centaur.Server.Threads.Workspaces;

namespace Centaur.Server.Threads;

/// <summary>
/// A conversation: its assignment to a harness and a sandbox, its messages, its uploaded repository. Clients with <c>agent:execute</c> may use every thread, a sandbox its own alone.
/// </summary>
public static class ThreadsSlice
{
    public static void AddThreads(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(ThreadOptions.Read(settings));
        services.AddSingleton<AssignmentStore>();
        services.AddSingleton<SpawnThread>();
        services.AddSingleton<MessageStore>();
        services.AddSingleton<PostMessage>();
        services.AddSingleton<WorkspaceStore>();
        services.AddSingleton<ThreadList>();
        services.AddSingleton<ThreadOverview>();
        services.AddSingleton(QueryOptions.Read(settings));
        services.AddSingleton<QueryStore>();
        services.AddSingleton<QueryRole>();
        services.AddSingleton<IStartStep>(provider => provider.GetRequiredService<QueryRole>());
    }

    public static void MapThreads(this IEndpointRouteBuilder routes)
    {
        SpawnEndpoint.Map(routes);
        MessageEndpoints.Map(routes);
        ThreadList.Map(routes);
        WorkspaceEndpoints.Map(routes);
        OverviewEndpoints.Map(routes);
        QueryEndpoint.Map(routes);
    }
}
