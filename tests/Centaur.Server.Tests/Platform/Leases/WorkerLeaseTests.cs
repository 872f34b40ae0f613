using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Platform.Leases;

public sealed class WorkerLeaseTests(PostgresServer postgres) : IAsyncLifetime
{
    readonly ServerFixture server = new(postgres) { Yaml = "worker: {lease_seconds: 1, renew_seconds: 0.2}\n" };

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    WorkerLease Lease => server.Services.GetRequiredService<WorkerLease>();

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_lease_that_has_ended_in_the_database_stops_its_work_and_begins_again_under_a_new_id()
    {
        var work = new RecordedWork();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var running = Lease.WhileHeld(work.Run, stop.Token);
        var first = await work.Began();

        await Database.Execute($"update workers set lease_expires_at = clock_timestamp() - interval '1 second' where worker_id = {first.WorkerId}", Cancellation);
        var second = await work.Began();

        first.IsLost.ShouldBeTrue();
        second.WorkerId.ShouldNotBe(first.WorkerId);
        (await Holds(second)).ShouldBeTrue();
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task F8_a_database_that_is_away_for_longer_than_the_lease_costs_the_term_and_not_the_process()
    {
        var work = new RecordedWork();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var running = Lease.WhileHeld(work.Run, stop.Token);
        var first = await work.Began();

        await postgres.Interrupt(server.ConnectionString, () => work.Ended(), Cancellation);
        var second = await work.Began();

        second.WorkerId.ShouldNotBe(first.WorkerId);
        (await Holds(second)).ShouldBeTrue();
        await stop.CancelAsync();
        await running;
    }

    async Task<bool> Holds(LeaseTerm term) =>
        await Database.First($"select 1 from workers where worker_id = {term.WorkerId} and lease_expires_at > clock_timestamp()", row => row.GetInt32(0), Cancellation) == 1;

    sealed class RecordedWork
    {
        readonly System.Threading.Channels.Channel<LeaseTerm> began = System.Threading.Channels.Channel.CreateUnbounded<LeaseTerm>();
        readonly System.Threading.Channels.Channel<LeaseTerm> ended = System.Threading.Channels.Channel.CreateUnbounded<LeaseTerm>();

        public async Task Run(LeaseTerm term, CancellationToken over)
        {
            began.Writer.TryWrite(term);
            await Task.Delay(Timeout.Infinite, over).ContinueWith(_ => { }, TaskScheduler.Default);
            ended.Writer.TryWrite(term);
        }

        public Task<LeaseTerm> Began() => began.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        public Task Ended() => ended.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }
}
