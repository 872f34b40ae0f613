using Centaur.Server.Platform.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Centaur.Server.Tests.Platform.Signals;

public sealed class NotificationRelayTests
{
    [Fact]
    public async Task While_the_database_is_away_wake_ups_for_other_replicas_do_not_pile_up()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=/nonexistent;Username=nobody");
        var wakeUps = new WakeUps(TimeProvider.System);
        using var relay = new NotificationRelay(nowhere, wakeUps, TimeProvider.System, NullLogger<NotificationRelay>.Instance);
        using var watch = wakeUps.Watch("here");
        var woken = watch.Next();

        for (var n = 0; n < NotificationRelay.MostWaiting * 2; n++)
            wakeUps.Raise($"thread:{n}");
        wakeUps.Raise("here");

        relay.Waiting.ShouldBe(NotificationRelay.MostWaiting);
        woken.IsCompleted.ShouldBeTrue("whoever waits in this process is woken all the same");
    }
}
