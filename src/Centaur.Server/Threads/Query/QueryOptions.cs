using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Threads.Query;

/// <param name="Timeout">How long Postgres works on one query.</param>
public sealed record QueryOptions(TimeSpan Timeout)
{
    public static QueryOptions Read(Settings settings) => new(TimeSpan.FromSeconds(settings.Root.Section("query").Number("timeout_seconds", 5, 1, 300)));
}
