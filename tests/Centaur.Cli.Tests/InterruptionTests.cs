using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests;

public sealed class InterruptionTests : IDisposable
{
    readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);
    readonly Interruption interruption;

    public InterruptionTests() => interruption = new Interruption(time);

    public void Dispose() => interruption.Dispose();

    [Fact]
    public void The_first_signal_asks_the_command_to_end()
    {
        interruption.Token.IsCancellationRequested.ShouldBeFalse();

        interruption.Signal().ShouldBeTrue();

        interruption.Token.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Signals_of_the_first_second_are_the_same_press_and_a_later_one_ends_the_process()
    {
        interruption.Signal();
        interruption.Signal().ShouldBeTrue();
        time.Advance(TimeSpan.FromMilliseconds(999));
        interruption.Signal().ShouldBeTrue();

        time.Advance(TimeSpan.FromMilliseconds(1));

        interruption.Signal().ShouldBeFalse();
    }

    [Fact]
    public void No_signal_ends_the_process_before_the_server_was_told()
    {
        var told = interruption.UntilTold();
        interruption.Signal();
        time.Advance(TimeSpan.FromMinutes(1));
        interruption.Signal().ShouldBeTrue();

        told.Dispose();

        interruption.Signal().ShouldBeFalse();
    }
}
