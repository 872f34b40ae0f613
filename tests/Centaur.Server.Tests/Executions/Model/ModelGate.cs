using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// One actor's way past the product's crash points. A run aims at one of them; there the actor is held, inside its transaction where the point is before a commit, while
/// others act, until the run lets it go on, kills it, or cuts its connection. Nothing of a dead actor passes any point again.
/// </summary>
internal sealed class ModelGate
{
    readonly Lock sync = new();
    (string Name, CrashMoment Moment)? aim;
    TaskCompletionSource? held;
    bool isDead;

    public ModelGate() => Points = CrashPoints.HandedTo(Reach);

    public CrashPoints Points { get; }

    /// <summary>Asked before every commit and effect, when nothing but the commit is left to do.</summary>
    public Func<CrashPoint, Task> BeforeCommit { get; set; } = _ => Task.CompletedTask;

    /// <summary>Where the actor is held, or null.</summary>
    public (string Name, CrashMoment Moment)? HeldAt { get; private set; }

    /// <summary>Holds the actor when it next gets there; null lets it pass everywhere.</summary>
    public void Aim((string Name, CrashMoment Moment)? at)
    {
        lock (sync)
            aim = at;
    }

    public void GoOn() => Release()?.SetResult();

    /// <summary>As <c>kill -9</c>: an open transaction is rolled back, a committed one stays.</summary>
    /// <param name="stop">Ends what the actor does. It comes before the death is felt, so that the product never takes it for a fault of the turn.</param>
    public void Die(Action stop)
    {
        lock (sync)
            isDead = true;
        stop();
        Release()?.SetException(new ModelDeath());
    }

    /// <summary>The connection breaks: before a commit it never happens, after it nobody is told.</summary>
    public void Cut() => Release()?.SetException(new NpgsqlException("The connection was cut.", new IOException("cut")));

    TaskCompletionSource? Release()
    {
        lock (sync)
        {
            var released = held;
            (held, HeldAt) = (null, null);
            return released;
        }
    }

    async Task Reach(CrashPoint point, CrashMoment moment)
    {
        var wait = Task.CompletedTask;
        lock (sync)
        {
            if (isDead)
                throw new ModelDeath();
            // Its pump may get to an aim while its delivery is held: one is held at a time.
            if (held is null && aim == (point.Name, moment))
            {
                aim = null;
                held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                HeldAt = (point.Name, moment);
                wait = held.Task;
            }
        }
        await wait;
        if (moment == CrashMoment.Before)
            await BeforeCommit(point);
    }
}

/// <summary>The actor was killed. Nothing in the product catches it.</summary>
internal sealed class ModelDeath : Exception;
