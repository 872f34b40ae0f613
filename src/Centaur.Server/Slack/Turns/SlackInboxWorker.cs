using System.Text.Json.Nodes;
using Centaur.Server.Deliveries;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Slack.Ingress;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Slack.Turns;

/// <summary>
/// Handles Slack's messages one by one. 1. Taking the row, deciding, and all that comes of it are one transaction, so that a kill anywhere leaves the message as it was or handled
/// whole. 2. What the threads refuse is told to the author as a notice, in a transaction of its own. 3. What fails for a reason that nobody foresaw is tried again later, and is refused in the end.
/// </summary>
internal sealed class SlackInboxWorker(
    PostgresDatabase database, SlackInboxStore inbox, SlackIdentity identity, SlackTurn turn, DeliveryOutbox outbox, WorkerLease lease, WakeUps wakeUps, SlackOptions options,
    TimeProvider time, ILogger<SlackInboxWorker> log) : BackgroundService
{
    static readonly CrashPoint Handling = new("slack.handle");
    static readonly CrashPoint Refusing = new("slack.refuse");
    static readonly TimeSpan Forgetting = TimeSpan.FromHours(1);
    long forgotten;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(SlackInboxStore.Topic);
        while (!stoppingToken.IsCancellationRequested)
        {
            var woken = watch.Next();
            try
            {
                if (await identity.Find(stoppingToken) is not { } self)
                    await Task.Delay(options.Retry, time, stoppingToken);
                else if (!await TryHandle(term, self, stoppingToken))
                    await watch.Wait(woken, options.Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task<bool> TryHandle(LeaseTerm term, SlackSelf self, CancellationToken stoppingToken)
    {
        try
        {
            await Forget(stoppingToken);
            return await Handle(term, self, stoppingToken);
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.DatabaseUnreachable(e.Message);
            return false;
        }
    }

    /// <returns>False where nothing waits.</returns>
    async Task<bool> Handle(LeaseTerm term, SlackSelf self, CancellationToken cancellationToken)
    {
        PendingMessage? message = null;
        try
        {
            // 1.
            var step = await database.InTransaction(
                Handling,
                async session =>
                {
                    message = await inbox.Next(session, term, cancellationToken);
                    return message is null ? null : await HandleOne(session, message, self, cancellationToken);
                },
                keep: s => s is { Refusal: null },
                cancellationToken);

            // 2.
            if (step?.Refusal is { } refusal)
                await Refuse(message!, refusal, step.UserId, cancellationToken);
            else if (step?.ExecutionId is { } executionId)
                log.Started(message!.MessageTs, message.ChannelId, executionId);
            return message is not null;
        }
        catch (Exception e) when (message is not null && e is not OperationCanceledException && !Outages.IsOutage(e))
        {
            // 3.
            log.NotHandled(message.MessageTs, message.ChannelId, e);
            if (await inbox.Postpone(message, options.Retry, cancellationToken) >= options.MaxAttempts)
                await Refuse(message, "Centaur could not handle this message. Its operator finds the reason in the log.", "", cancellationToken);
            return true;
        }
    }

    async Task<Step> HandleOne(SqlSession session, PendingMessage message, SlackSelf self, CancellationToken cancellationToken)
    {
        var ask = SlackTrigger.Of(message, self, options);
        if (ask.WhyIgnored is { } why)
        {
            await inbox.Ignore(session, message, why, cancellationToken);
            return Step.Ignored;
        }

        await session.LockThread(message.ThreadKey, cancellationToken);
        var started = await turn.Start(session, message, ask, cancellationToken);
        if (started.Failure is { } failure)
            return new Step(null, failure.Text, ask.UserId);
        await inbox.Start(session, message, started.Value, cancellationToken);
        return new Step(started.Value, null, ask.UserId);
    }

    async Task Refuse(PendingMessage message, string reason, string userId, CancellationToken cancellationToken)
    {
        await database.InTransaction(
            Refusing,
            async session =>
            {
                // The row before the thread, as when it is handled.
                if (!await inbox.Holds(session, message, cancellationToken))
                    return;
                await session.LockThread(message.ThreadKey, cancellationToken);
                await inbox.Refuse(session, message, reason, cancellationToken);
                await outbox.Send(
                    session, message.MessageId, message.ThreadKey, SlackTurn.DeliveryOf(message, userId),
                    new JsonObject
                    {
                        ["execution_id"] = message.MessageId, ["thread_key"] = message.ThreadKey, ["status"] = "refused", ["terminal_reason"] = "refused", ["result_text"] = "",
                        ["error_text"] = reason,
                    },
                    cancellationToken);
            },
            cancellationToken);
        log.Refused(message.MessageTs, message.ChannelId, reason);
    }

    async Task Forget(CancellationToken cancellationToken)
    {
        if (forgotten != 0 && time.GetElapsedTime(forgotten) < Forgetting)
            return;
        await inbox.Forget(options.Keep, cancellationToken);
        forgotten = time.GetTimestamp();
    }

    /// <param name="ExecutionId">The turn that it became.</param>
    /// <param name="Refusal">Why it became none, for its author.</param>
    /// <param name="UserId">The author.</param>
    sealed record Step(string? ExecutionId, string? Refusal, string UserId)
    {
        public static readonly Step Ignored = new(null, null, "");
    }
}
