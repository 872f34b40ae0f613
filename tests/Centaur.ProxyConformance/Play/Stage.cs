using System.Collections.Concurrent;
using Centaur.Proxy.Tests.Postgres;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;
using Centaur.ProxyConformance.Targets;
using Shouldly;
using Xunit;

namespace Centaur.ProxyConformance.Play;

/// <summary>
/// Plays the cases of one group, one after another.
/// <para>1. A configuration that has not been played yet gets a scene and a process of its own; both serve all its cases of this group.</para>
/// <para>2. For each step the origin takes its script, the client does its part, and the referee looks at everything that came of it.</para>
/// <para>3. After each case the process must be the one that it was.</para>
/// </summary>
public sealed class Stage(SecuredPostgres postgres) : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly IProxyTarget target = new CentaurTarget();
    readonly ConcurrentDictionary<string, (Scene Scene, IRunningProxy Proxy)> running = new(StringComparer.Ordinal);

    public async Task Play(string group, string id)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        var (played, name, config) = CaseLibrary.Group(group).Single(entry => entry.Case.Id == id);
        if (played.All is [{ Expect.Refuses: { Count: > 0 } said }])
        {
            await PlayRefusal(config, said, patience.Token);
            return;
        }

        // 1.
        if (!running.TryGetValue(name, out var place))
            running[name] = place = await Raise(config, patience.Token);

        // 2.
        foreach (var step in played.All)
            await (step.Eventually ? PlayUntil(step, config, place, patience.Token) : PlayStep(step, config, place.Scene, place.Proxy, patience.Token));

        // 3.
        place.Proxy.Lives.ShouldBeTrue(place.Proxy.Log);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (scene, proxy) in running.Values)
        {
            await proxy.DisposeAsync();
            await scene.DisposeAsync();
        }
    }

    static async Task PlayUntil(Step step, SuiteConfig config, (Scene Scene, IRunningProxy Proxy) place, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await PlayStep(step, config, place.Scene, place.Proxy, cancellationToken);
                return;
            }
            catch (ShouldAssertException) when (!cancellationToken.IsCancellationRequested)
            {
                // Not yet.
            }
        }
    }

    static async Task PlayStep(Step step, SuiteConfig config, Scene scene, IRunningProxy proxy, CancellationToken cancellationToken)
    {
        scene.Origin.Script = step.Origin ?? new OriginScript();
        scene.Raw.Answer = step.Origin?.Raw ?? "";
        scene.Origin.Seen.Clear();
        var minted = scene.Issuer?.Minted ?? 0;
        var recorded = proxy.Audit().Count;
        var client = step.Client ?? new ClientScript();
        foreach (var (name, text) in client.Writes)
            await proxy.Write(name, scene.Fill(text));

        var answers = new List<Answer>();
        for (var time = 0; time < client.Times; time++)
            answers.Add(await Ask(proxy, client, cancellationToken));

        var referee = new Referee(config, scene.Secrets(config), proxy, step.Expect ?? new Expectation());
        referee.Judge(answers);
        referee.JudgeUpstream([.. scene.Origin.Seen]);
        referee.JudgeMints((scene.Issuer?.Minted ?? 0) - minted);
        await referee.JudgeAudit(recorded, cancellationToken);
        referee.JudgeIdentity(client, answers[^1]);
    }

    static Task<Answer> Ask(IRunningProxy proxy, ClientScript client, CancellationToken cancellationToken) => client switch
    {
        { Sql: not null } or { Message: not null } => PostgresClient.Ask(proxy, client, cancellationToken),
        { Version: "2" } => Http2Client.Ask(proxy, client, cancellationToken),
        _ => WireClient.Ask(proxy, client, cancellationToken),
    };

    async Task<(Scene Scene, IRunningProxy Proxy)> Raise(SuiteConfig config, CancellationToken cancellationToken)
    {
        var scene = await Scene.Start(config, postgres, cancellationToken);
        try
        {
            return (scene, await target.Start(config, scene, cancellationToken));
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    async Task PlayRefusal(SuiteConfig config, List<string> said, CancellationToken cancellationToken)
    {
        await using var scene = await Scene.Start(config, postgres, cancellationToken);
        var fault = await Should.ThrowAsync<NotStartedException>(async () => await (await target.Start(config, scene, cancellationToken)).DisposeAsync());
        fault.ExitCode.ShouldNotBe(0);
        foreach (var part in said)
            fault.Message.ShouldContain(part, Case.Insensitive);
        foreach (var secret in config.Secrets)
            fault.Message.ShouldNotContain(secret);
        fault.Message.ShouldNotContain("   at ", Case.Sensitive, "A mistake of the operator is told in words, not by a stack.");
    }
}
