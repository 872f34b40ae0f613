using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>
/// The live token of one grant.
/// <para>1. Other source values than before: everything known is forgotten.</para>
/// <para>2. A token is used until shortly before it expires.</para>
/// <para>3. After a failure nothing is asked until a growing, jittered pause is over; a token that is still good serves on.</para>
/// <para>4. Otherwise one mint runs, however many wait for it, and nobody who leaves ends it.</para>
/// </summary>
sealed class TokenState(TimeProvider time)
{
    static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    Values current = new("");

    /// <param name="fingerprint">Changes when a source value does.</param>
    /// <param name="mint">Asks the endpoint; is given the refresh token that it handed out last, if any. Expected failures are returned.</param>
    /// <param name="cancellationToken">Ends the wait, not the mint.</param>
    public ValueTask<MintAnswer> Get(string fingerprint, Func<Secret?, Task<MintAnswer>> mint, CancellationToken cancellationToken)
    {
        Task<MintAnswer> minting;
        lock (gate)
        {
            // 1.
            if (current.Fingerprint != fingerprint)
                current = new Values(fingerprint);
            var now = time.GetUtcNow();

            // 2.
            if (current.Token is { } token && now < current.RefreshAt)
                return ValueTask.FromResult(token);

            // 3.
            if (current.Failure is { } failure && now < current.RetryAt)
                return ValueTask.FromResult(current.Usable(now) ?? failure);

            // 4.
            minting = current.Minting ??= Mint(current, mint);
        }

        return new ValueTask<MintAnswer>(minting.WaitAsync(cancellationToken));
    }

    async Task<MintAnswer> Mint(Values values, Func<Secret?, Task<MintAnswer>> mint)
    {
        // The caller holds the lock.
        await Task.Yield();
        MintAnswer answer;
        try
        {
            answer = await mint(values.Rotated);
        }
        catch (Exception fault)
        {
            answer = MintAnswer.Failed($"the mint broke off ({fault.GetType().Name})");
        }

        lock (gate)
        {
            values.Minting = null;
            var now = time.GetUtcNow();
            if (answer.Token is null)
            {
                values.Failure = answer;
                values.RetryAt = now + Pause(values.Failures++);
                return values.Usable(now) ?? answer;
            }

            values.Token = answer;
            values.Failure = null;
            values.Failures = 0;
            values.Rotated = answer.Rotated ?? values.Rotated;
            values.ExpiresAt = now + answer.Lifetime;
            values.RefreshAt = values.ExpiresAt - Min(LongestMargin, answer.Lifetime / 10);
            return answer;
        }
    }

    static TimeSpan Pause(int failures) => Min(LongestPause, FirstPause * Math.Pow(2, Math.Min(failures, 10))) * (0.75 + 0.5 * Random.Shared.NextDouble());

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>What is known for one set of source values.</summary>
    sealed class Values(string fingerprint)
    {
        public string Fingerprint => fingerprint;

        public MintAnswer? Token { get; set; }

        public DateTimeOffset RefreshAt { get; set; }

        public DateTimeOffset ExpiresAt { get; set; }

        public Secret? Rotated { get; set; }

        public MintAnswer? Failure { get; set; }

        public int Failures { get; set; }

        public DateTimeOffset RetryAt { get; set; }

        public Task<MintAnswer>? Minting { get; set; }

        public MintAnswer? Usable(DateTimeOffset now) => Token is not null && now < ExpiresAt ? Token : null;
    }
}
