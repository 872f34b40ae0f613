using Centaur.Protocol.Attach;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Runner.Keep.Journal;

namespace Centaur.Runner.Keep.Attach;

/// <summary>
/// Obeys a worker. What it may ask depends on the phase: a spare takes a policy and a claim, a claimed sandbox takes turns, a dead one gives its journal.
/// </summary>
/// <param name="spec">The sandbox.</param>
/// <param name="journal">Its frames.</param>
/// <param name="state">What it remembers.</param>
/// <param name="desk">Its turns.</param>
/// <param name="time">The clock of grace.</param>
internal sealed class SandboxDesk(SandboxSpec spec, FrameJournal journal, KeeperState state, TurnDesk desk, TimeProvider time) : IWorkerDesk, IDisposable
{
    readonly SemaphoreSlim oneAtATime = new(1, 1);
    readonly TaskCompletionSource<string> stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Pulse settled = new();
    LivingSandbox? living;
    volatile bool isDead;
    HarnessProcess? harness;
    HarnessLaunch? launch;
    SandboxIdentity? identity;
    WorkspaceSetup? setup;

    /// <summary>Completes with the reason when the worker asks for the end.</summary>
    public Task<string> Stopped => stop.Task;

    /// <summary>Signalled when a frame was acknowledged or the attachment ended: a dead keeper looks whether it may go.</summary>
    public Pulse Settled => settled;

    public bool IsAttached { get; private set; }

    /// <summary>The running harness, if one runs.</summary>
    public HarnessProcess? Harness => harness;

    public void Open(LivingSandbox sandbox) => living = sandbox;

    /// <summary>The jail is gone, or goes: nothing is done in it any more. How it ended is still to be written.</summary>
    public void Close() => living = null;

    /// <summary>The journal has its last frame. Who attaches before is not told that the sandbox is dead: it would miss the frame that says of what.</summary>
    public void Bury() => isDead = true;

    public Attached Describe(long generation)
    {
        IsAttached = true;
        return new Attached(spec.SandboxId, generation, journal.LastSeq, Phase, living?.PolicyVersion ?? state.PolicyVersion, living?.CaCertificate ?? "", desk.Turn);
    }

    string Phase => isDead ? KeeperPhases.Dead
        : harness is not null ? KeeperPhases.Running
        : identity is not null ? KeeperPhases.Claimed
        : KeeperPhases.Spare;

    public void Acknowledge(long seq)
    {
        journal.Acknowledge(seq);
        settled.Signal();
    }

    public void Detached()
    {
        IsAttached = false;
        settled.Signal();
    }

    public async Task<KeeperMessage?> Obey(WorkerMessage message, Func<bool> stands, CancellationToken cancellationToken)
    {
        try
        {
            switch (message)
            {
                case StopSandbox wish when stands():
                    stop.TrySetResult(wish.Reason);
                    return null;
                case InterruptTurn wish when stands():
                    return Interrupt(wish, cancellationToken);
            }

            await oneAtATime.WaitAsync(cancellationToken);
            try
            {
                return stands() ? await ObeyAlone(message, cancellationToken) : null;
            }
            finally
            {
                oneAtATime.Release();
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // Whatever went wrong, its worker must not wait for an answer that never comes.
            await Console.Error.WriteLineAsync($"{message.GetType().Name}: {failure}");
            return new Refused(living is null ? RefusalCodes.JailGone : RefusalCodes.HarnessFailed, failure.Message);
        }
    }

    Task<KeeperMessage> ObeyAlone(WorkerMessage message, CancellationToken cancellationToken) => (message, living) switch
    {
        (AttachRequest, _) => Refuse(RefusalCodes.MalformedMessage, "This connection is attached already."),
        (_, null) => Refuse(RefusalCodes.JailGone, "The jail of this sandbox is gone; only its journal is left."),
        (PolicyUpdate update, { } sandbox) => Enforce(sandbox, update, cancellationToken),
        (ClaimRequest claim, { } sandbox) => Claim(sandbox, claim, cancellationToken),
        (UserTurn turn, { } sandbox) => Start(sandbox, turn, cancellationToken),
        (SteerTurn turn, _) => Steer(turn, cancellationToken),
        (TokenUpdate token, { } sandbox) => Renew(sandbox, token, cancellationToken),
        _ => Refuse(RefusalCodes.MalformedMessage, "That is nothing that a worker asks."),
    };

    static Task<KeeperMessage> Refuse(string code, string message) => Task.FromResult<KeeperMessage>(new Refused(code, message));

    async Task<KeeperMessage> Enforce(LivingSandbox sandbox, PolicyUpdate update, CancellationToken cancellationToken)
    {
        if (await sandbox.Proxy.Enforce(update.Policy, update.BrokerTicket, cancellationToken) is { } reason)
            return new Refused(RefusalCodes.PolicyRejected, reason);
        sandbox.PolicyVersion = update.Policy.Version;
        state.Write(new KeeperRecord { PolicyVersion = update.Policy.Version });
        return new PolicyAcknowledged(update.Policy.Version);
    }

    async Task<KeeperMessage> Claim(LivingSandbox sandbox, ClaimRequest claim, CancellationToken cancellationToken)
    {
        if (state.ThreadKey is { } owner && owner != claim.Identity.ThreadKey)
            return new Refused(RefusalCodes.AlreadyClaimed, $"This sandbox is {owner}'s.");
        await GiveToken(sandbox, claim.Identity.Token, cancellationToken);
        if (state.ThreadKey is null)
            state.Write(new KeeperRecord { ThreadKey = claim.Identity.ThreadKey, TraceId = claim.Identity.TraceId });
        identity = claim.Identity with { Token = "" };
        launch = claim.Harness;
        setup ??= new WorkspaceSetup(claim.Setup);
        return new Claimed(claim.Identity.ThreadKey);
    }

    /// <summary>A sandbox whose disk is full goes on with the token that it has, or with none: without its next turn nobody could make room.</summary>
    async Task GiveToken(LivingSandbox sandbox, string token, CancellationToken cancellationToken)
    {
        try
        {
            await sandbox.WriteToken(token, cancellationToken);
        }
        catch (IOException full) when (!sandbox.Jail.Exited.IsCompleted)
        {
            await Console.Error.WriteLineAsync($"The sandbox keeps its older token: {full.Message}");
        }
    }

    async Task<KeeperMessage> Renew(LivingSandbox sandbox, TokenUpdate token, CancellationToken cancellationToken)
    {
        if (identity is null)
            return new Refused(RefusalCodes.NotClaimed, "A sandbox that is nobody's has no token.");
        await sandbox.WriteToken(token.Token, cancellationToken);
        return new Claimed(identity.ThreadKey);
    }

    async Task<KeeperMessage> Start(LivingSandbox sandbox, UserTurn turn, CancellationToken cancellationToken)
    {
        if (identity is null || launch is null)
            return new Refused(RefusalCodes.NotClaimed, "A turn needs a claim before it.");
        if (desk.WasDelivered(turn.Turn))
            return new TurnAccepted(turn.Turn, Repeated: true);
        if (desk.Turn is { } running)
            return new Refused(RefusalCodes.TurnRunning, $"{running} still runs.");

        if (setup is not null && await setup.Run(sandbox.Surround(identity), cancellationToken) is { } failure)
            return new Refused(RefusalCodes.HarnessFailed, failure);
        if (harness is null || harness.Ended.IsCompleted)
        {
            harness = await HarnessProcess.Start(launch, sandbox.Surround(identity), desk, cancellationToken);
            _ = AwaitEnd(harness);
        }

        await harness.StartTurn(turn.Turn, turn.Message, cancellationToken);
        return new TurnAccepted(turn.Turn, Repeated: false);
    }

    async Task<KeeperMessage> Steer(SteerTurn turn, CancellationToken cancellationToken)
    {
        if (state.DispositionOf(turn.Id) is { } before)
            return new TurnAccepted(turn.Turn, Repeated: true, before);
        if (desk.Turn != turn.Turn || harness is null)
            return new Refused(RefusalCodes.NoSuchTurn, $"{turn.Turn} does not run.");
        // A keeper that is killed after this takes its harness with it: the replayed turn begins from what Postgres holds.
        var disposition = await harness.Steer(turn.Message, cancellationToken) ? "applied" : "queued";
        state.Write(new KeeperRecord { Steered = turn.Id, Disposition = disposition });
        return new TurnAccepted(turn.Turn, Repeated: false, disposition);
    }

    /// <summary>Has no answer: a turn that does not run is as interrupted as can be.</summary>
    KeeperMessage? Interrupt(InterruptTurn wish, CancellationToken cancellationToken)
    {
        if (harness is not { } running || desk.Turn != wish.Turn)
            return null;
        _ = running.Interrupt(wish.Turn, TimeSpan.FromMilliseconds(wish.GraceMs), time, cancellationToken);
        return null;
    }

    async Task AwaitEnd(HarnessProcess process)
    {
        var end = await process.Ended;
        await oneAtATime.WaitAsync();
        try
        {
            if (harness == process)
                harness = null;

            // Where the jail itself ended, its own notice ends the turn.
            if (living is null)
                return;
            desk.Notice(KeeperNotices.HarnessExited(end));
            desk.End();
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Dispose() => oneAtATime.Dispose();
}
