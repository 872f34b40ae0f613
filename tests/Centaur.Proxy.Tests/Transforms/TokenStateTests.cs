using Centaur.Proxy.Secrets;
using Centaur.Proxy.Transforms.Tokens;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class TokenStateTests
{
    readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);
    readonly TokenState state;
    int mints;
    MintAnswer next = Good();

    public TokenStateTests() => state = new TokenState(time);

    [Fact]
    public async Task A_token_is_used_until_a_minute_before_it_expires()
    {
        await Ask();
        time.Advance(TimeSpan.FromMinutes(59) - TimeSpan.FromSeconds(1));
        await Ask();
        mints.ShouldBe(1);

        time.Advance(TimeSpan.FromSeconds(1));
        await Ask();
        mints.ShouldBe(2);
    }

    [Fact]
    public async Task After_a_failure_nothing_is_asked_until_a_growing_pause_is_over()
    {
        next = MintAnswer.Failed("down");
        await Ask();
        var pauses = new List<double>();
        for (var failures = 1; failures <= 8; failures++)
        {
            var pause = 0.0;
            for (; mints == failures; pause += 0.05)
            {
                time.Advance(TimeSpan.FromSeconds(0.05));
                (await Ask()).Problem.ShouldBe("down");
            }

            pauses.Add(pause);
        }

        // Doubled from one second to a minute, a quarter more or less.
        for (var i = 0; i < pauses.Count; i++)
            pauses[i].ShouldBeInRange(0.75 * Math.Min(60, 1 << i) - 0.1, 1.25 * Math.Min(60, 1 << i) + 0.1);

        next = Good();
        time.Advance(TimeSpan.FromMinutes(2));
        (await Ask()).Token.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_token_that_is_still_good_serves_on_while_its_renewal_fails()
    {
        await Ask();
        next = MintAnswer.Failed("down");
        time.Advance(TimeSpan.FromMinutes(59.5));

        (await Ask()).Token.ShouldNotBeNull();
        (await Ask()).Token.ShouldNotBeNull();
        mints.ShouldBe(2);
        time.Advance(TimeSpan.FromMinutes(1));
        (await Ask()).Problem.ShouldBe("down");
    }

    [Fact]
    public async Task Other_source_values_forget_token_failure_and_rotation()
    {
        next = MintAnswer.Failed("wrong secret");
        (await Ask()).Token.ShouldBeNull();
        next = Good() with { Rotated = new Secret("next", "rotated-1"u8.ToArray()) };

        (await Ask("other")).Token.ShouldNotBeNull();

        time.Advance(TimeSpan.FromHours(1));
        await Ask("other", expectRotated: true);
        await Ask("third", expectRotated: false);
    }

    [Fact]
    public async Task Whoever_leaves_does_not_end_the_mint_of_the_others()
    {
        var answer = new TaskCompletionSource<MintAnswer>();
        using var leaving = new CancellationTokenSource();
        var first = state.Get("a", _ => answer.Task, leaving.Token).AsTask();
        var second = state.Get("a", _ => throw new InvalidOperationException("a second mint"), TestContext.Current.CancellationToken).AsTask();

        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        answer.SetResult(Good());

        (await second).Token.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_mint_that_throws_is_a_failure_and_not_stuck()
    {
        (await state.Get("a", _ => throw new FormatException("secret text"), TestContext.Current.CancellationToken)).Problem.ShouldBe("the mint broke off (FormatException)");
        time.Advance(TimeSpan.FromMinutes(2));
        (await Ask("a")).Token.ShouldNotBeNull();
    }

    static MintAnswer Good() => new(new Secret("token", "minted-0001"u8.ToArray()), TimeSpan.FromHours(1), null, null);

    ValueTask<MintAnswer> Ask(string fingerprint = "a", bool? expectRotated = null) => state.Get(
        fingerprint,
        rotated =>
        {
            if (expectRotated is { } expected)
                (rotated is not null).ShouldBe(expected);
            mints++;
            return Task.FromResult(next);
        },
        TestContext.Current.CancellationToken);
}
