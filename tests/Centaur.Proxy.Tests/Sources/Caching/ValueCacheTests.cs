using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.Caching;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Centaur.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Sources.Caching;

public sealed class ValueCacheTests : IAsyncDisposable
{
    static readonly CacheTerms Terms = new(TimeSpan.FromSeconds(60)) { MaxStale = TimeSpan.FromMinutes(15) };
    static readonly SecretSource Source = new(SecretSourceTypes.File);

    readonly ScriptedSource source = new();
    readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);
    readonly List<SecretSource> gone = [];
    readonly ValueCache cache;

    public ValueCacheTests() => cache = new ValueCache(source.Reader(), time, NullLogger.Instance) { Gone = gone.Add };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => cache.DisposeAsync();

    [Fact]
    public async Task A_value_is_read_once_however_many_ask()
    {
        source.Held = new TaskCompletionSource();
        source.Next = ScriptedSource.Value("one");

        var asking = Enumerable.Range(0, 50).Select(_ => Get()).ToArray();
        source.Held.SetResult();

        foreach (var answer in await Task.WhenAll(asking))
            Text(answer).ShouldBe("one");
        source.Reads.ShouldBe(1);
    }

    [Fact]
    public async Task A_value_that_has_aged_is_handed_out_while_the_next_one_is_read()
    {
        source.Next = ScriptedSource.Value("one");
        await Get();
        source.Next = ScriptedSource.Value("two");
        source.Held = new TaskCompletionSource();
        time.Advance(TimeSpan.FromSeconds(61));

        foreach (var _ in Enumerable.Range(0, 20))
        {
            var stale = await Get();
            Text(stale).ShouldBe("one");
            stale.MaxAge.ShouldBe(TimeSpan.FromSeconds(1));
        }

        source.Held.SetResult();
        while (Text(await Get()) != "two")
            await Task.Yield();
        source.Reads.ShouldBe(2);
    }

    [Fact]
    public async Task A_source_that_does_not_answer_is_left_alone_for_a_pause_that_grows_however_many_ask()
    {
        source.Next = SourceAnswer.Unavailable("away");
        (await Get()).Answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);

        foreach (var _ in Enumerable.Range(0, 50))
            (await Get()).Answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        source.Reads.ShouldBe(1);

        // The first pause is 1.25 s at most, the second 1.5 s at least.
        time.Advance(TimeSpan.FromSeconds(1.3));
        await Get();
        source.Reads.ShouldBe(2);
        time.Advance(TimeSpan.FromSeconds(1.3));
        await Get();
        source.Reads.ShouldBe(2);
        time.Advance(TimeSpan.FromSeconds(1.3));
        source.Next = ScriptedSource.Value("back");
        Text(await Get()).ShouldBe("back");
    }

    [Theory]
    [InlineData(BrokerFailures.SourceUnavailable)]
    [InlineData(BrokerFailures.BrokerRefused)]
    public async Task The_last_value_serves_on_within_its_bound_while_the_source_says_nothing_and_no_longer(string code)
    {
        source.Next = ScriptedSource.Value("one");
        await Get();
        source.Next = SourceAnswer.Failed(code, "away");
        for (var minute = 1; minute <= 14; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            Text(await Get()).ShouldBe("one");
        }

        time.Advance(TimeSpan.FromMinutes(2));

        cache.TendOnce();
        gone.ShouldBe([Source with { Reference = "A" }]);
        (await Get()).Answer.Code.ShouldBe(code);
    }

    [Theory]
    [InlineData(BrokerFailures.NotFound)]
    [InlineData(BrokerFailures.Forbidden)]
    public async Task A_source_that_says_no_is_believed_at_once_and_whoever_holds_the_value_is_told(string code)
    {
        source.Next = ScriptedSource.Value("one");
        await Get();
        source.Next = SourceAnswer.Failed(code, "no");
        time.Advance(TimeSpan.FromSeconds(61));

        cache.TendOnce();
        await Until(() => gone.Count > 0);

        gone.ShouldBe([Source with { Reference = "A" }]);
        (await Get()).Answer.Code.ShouldBe(code);
        source.Reads.ShouldBe(2);
        source.Next = ScriptedSource.Value("set again");
        time.Advance(TimeSpan.FromSeconds(2));
        Text(await Get()).ShouldBe("set again");
    }

    [Fact]
    public async Task A_value_is_read_anew_unasked_for_an_hour_since_it_was_asked_for_and_forgotten_then()
    {
        source.Next = ScriptedSource.Value("one");
        await Get();
        for (var i = 0; i < 4; i++)
            await ReadAnew();

        time.Advance(TimeSpan.FromHours(1));
        await Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(61));
            cache.TendOnce();
            return cache.Count == 0;
        });

        source.Reads.ShouldBe(5);
    }

    [Fact]
    public async Task P30_a_value_that_nobody_asks_for_again_is_found_gone_all_the_same()
    {
        source.Next = ScriptedSource.Value("one");
        await Get();
        for (var i = 0; i < 4; i++)
            await ReadAnew();

        source.Next = SourceAnswer.Failed(BrokerFailures.NotFound, "no");
        await ReadAnew();
        await Until(() => gone.Count > 0);

        gone.ShouldBe([Source with { Reference = "A" }]);
    }

    [Fact]
    public async Task Who_goes_away_does_not_end_the_reading_that_others_wait_for()
    {
        source.Held = new TaskCompletionSource();
        source.Next = ScriptedSource.Value("one");
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var leaving = cache.Get("A", Source, Terms, impatient.Token);
        var staying = Get();

        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        source.Held.SetResult();

        Text(await staying).ShouldBe("one");
        source.Reads.ShouldBe(1);
    }

    [Fact]
    public async Task Its_end_ends_the_readings_under_way()
    {
        source.Held = new TaskCompletionSource();
        var asking = Get();

        await cache.DisposeAsync();

        (await asking).Answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);
    }

    /// <summary>Lets the value age until it is read once more. A reading that was not noted yet counts from when it is, so that it may have to age again.</summary>
    async Task ReadAnew()
    {
        var before = source.Reads;
        while (source.Reads == before)
        {
            time.Advance(TimeSpan.FromSeconds(61));
            cache.TendOnce();
            for (var i = 0; i < 100 && source.Reads == before; i++)
                await Task.Delay(5, Token);
        }
    }

    Task<CachedAnswer> Get() => cache.Get("A", Source, Terms, Token);

    static string Text(CachedAnswer answer) => Encoding.UTF8.GetString(answer.Answer.Value.ShouldNotBeNull(answer.Answer.ToString()));

    static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Token);
    }
}
