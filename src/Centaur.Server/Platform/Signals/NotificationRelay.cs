using System.Threading.Channels;
using Npgsql;

namespace Centaur.Server.Platform.Signals;

/// <summary>
/// Carries wake-ups between replicas through LISTEN and NOTIFY. Notifications are coalesced: one statement every few milliseconds, after the commits
/// that caused them and never inside them, because NOTIFY takes a lock that is instance-wide at commit
/// (https://www.postgresql.org/docs/15/sql-notify.html and design §4).
/// </summary>
internal sealed partial class NotificationRelay : BackgroundService
{
    const string Channel = "centaur";
    const int PayloadBytes = 7_800;
    internal const int MostWaiting = 65_536;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    readonly Channel<string> outgoing = System.Threading.Channels.Channel.CreateBounded<string>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    readonly NpgsqlDataSource source;
    readonly WakeUps wakeUps;
    readonly TimeProvider time;
    readonly ILogger<NotificationRelay> log;
    readonly string self = Guid.CreateVersion7().ToString("N")[^12..];

    public NotificationRelay(NpgsqlDataSource source, WakeUps wakeUps, TimeProvider time, ILogger<NotificationRelay> log)
    {
        (this.source, this.wakeUps, this.time, this.log) = (source, wakeUps, time, log);
        wakeUps.Relay = topic => outgoing.Writer.TryWrite(topic);
    }

    /// <summary>How many wake-ups wait to be sent. What does not fit is dropped: others poll.</summary>
    internal int Waiting => outgoing.Reader.Count;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(KeepTrying(Listen, stoppingToken), KeepTrying(Send, stoppingToken));

    async Task KeepTrying(Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or IOException or InvalidOperationException or TimeoutException)
            {
                LogInterrupted(log, e.Message);
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }

    async Task Listen(CancellationToken stoppingToken)
    {
        await using var connection = await source.OpenConnectionAsync(stoppingToken);
        connection.Notification += (_, args) => Receive(args.Payload);
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
            await listen.ExecuteNonQueryAsync(stoppingToken);
        wakeUps.WakeAll();
        while (true)
            await connection.WaitAsync(stoppingToken);
    }

    void Receive(string payload)
    {
        var lines = payload.Split('\n');
        if (lines[0] == self)
            return;
        foreach (var topic in lines.AsSpan(1))
            wakeUps.Wake(topic);
    }

    async Task Send(CancellationToken stoppingToken)
    {
        while (await outgoing.Reader.WaitToReadAsync(stoppingToken))
        {
            await Task.Delay(Pause, time, stoppingToken);
            var topics = new HashSet<string>(StringComparer.Ordinal);
            var bytes = 0;
            while (bytes < PayloadBytes - 600 && outgoing.Reader.TryRead(out var topic))
            {
                if (topics.Add(topic))
                    bytes += System.Text.Encoding.UTF8.GetByteCount(topic) + 1;
            }

            await using var command = source.CreateCommand("select pg_notify($1, $2)");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Channel });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = self + "\n" + string.Join('\n', topics) });
            await command.ExecuteNonQueryAsync(stoppingToken);
        }
    }

    [LoggerMessage(1001, LogLevel.Warning, "Notifications between replicas are interrupted; polling goes on: {Reason}")]
    static partial void LogInterrupted(ILogger log, string reason);
}
