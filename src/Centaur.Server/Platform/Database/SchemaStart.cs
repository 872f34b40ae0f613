namespace Centaur.Server.Platform.Database;

/// <summary>
/// Brings the database to where this program needs it: migrations, then each slice's start step, then ready. A database that is away is tried again every
/// second while the server answers 503; one that does not fit stops the server.
/// </summary>
internal sealed class SchemaStart(
    Migrator migrator, IEnumerable<IStartStep> steps, Readiness readiness, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<SchemaStart> log) : BackgroundService
{
    static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                foreach (var name in await migrator.Run(stoppingToken))
                    DatabaseLog.Applied(log, name);
                foreach (var step in steps)
                    await step.Run(stoppingToken);
                readiness.Announce();
                DatabaseLog.Ready(log);
                return;
            }
            catch (MigrationException e)
            {
                DatabaseLog.DoesNotFit(log, e.Message);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }
            catch (Exception e) when (DatabaseOutage.Is(e))
            {
                DatabaseLog.Away(log, e.InnerException?.Message ?? e.Message);
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }
}
