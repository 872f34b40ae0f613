using System.Diagnostics;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Play;
using Centaur.ProxyConformance.Scenery;
using Centaur.ProxyConformance.Targets;
using Shouldly;
using Xunit;

namespace Centaur.ProxyConformance.Fuzz;

/// <summary>Nonsense, from a seed that is said with every fault. Each test has a short run; the last one goes on for minutes.</summary>
public sealed class ProxyFuzzTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task No_head_of_a_request_ends_the_proxy_or_passes_its_rule() => Short((patient, random, round) => Heads(patient, random, Corpus.Heads, round));

    [Fact]
    public Task No_framing_of_a_body_ends_the_proxy_or_hides_a_request() => Short((patient, random, round) => Heads(patient, random, Corpus.Chunked, round));

    [Fact]
    public Task No_head_of_CONNECT_ends_the_proxy() => Short(Connects);

    [Fact]
    public Task No_startup_of_a_Postgres_client_ends_the_proxy_or_is_answered_with_more_than_it_may_know() => Short(Startups);

    [Fact]
    public Task However_an_answer_is_cut_its_secrets_are_replaced_as_if_it_were_whole() => Short(Answers, FuzzSettings.Rounds / 5);

    [Fact]
    public async Task No_text_of_a_configuration_is_answered_with_a_stack()
    {
        var random = new Random(FuzzSettings.Seed);
        for (var round = 0; round < FuzzSettings.Rounds / 25; round++)
            await Configs(random, round);
    }

    [Fact]
    [Trait("Category", "nightly")]
    public async Task Minutes_of_nonsense_leave_the_proxy_as_it_was()
    {
        var random = new Random(FuzzSettings.Seed);
        await using var patient = await Patient.Admit(Token);
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; Stopwatch.GetElapsedTime(started) < FuzzSettings.Long; round++)
        {
            await Heads(patient, random, Corpus.Heads, round);
            await Heads(patient, random, Corpus.Chunked, round);
            await Connects(patient, random, round);
            await Startups(patient, random, round);
            await Answers(patient, random, round);
            if (round % 50 == 0)
                await Configs(random, round);
        }

        await patient.Examine(Where(0));
    }

    static async Task Short(Func<Patient, Random, int, Task> play, int? rounds = null)
    {
        var random = new Random(FuzzSettings.Seed);
        await using var patient = await Patient.Admit(Token);
        for (var round = 0; round < (rounds ?? FuzzSettings.Rounds); round++)
            await play(patient, random, round);
        await patient.Examine(Where(0));
    }

    static Task Heads(Patient patient, Random random, string[] seeds, int round)
    {
        patient.Scene.Origin.Script = new OriginScript { Body = "${header:X-Key} ${body}" };
        return patient.Take(Corpus.Tunnel + new Mutator(random, seeds, Corpus.Words).Next(), Where(round));
    }

    static Task Connects(Patient patient, Random random, int round) => patient.Take(new Mutator(random, Corpus.Connects, Corpus.Words).Next(), Where(round));

    static Task Startups(Patient patient, Random random, int round) => patient.Take(new Mutator(random, Corpus.Startups, Corpus.StartupWords).Next(), Where(round), "postgres");

    static async Task Answers(Patient patient, Random random, int round)
    {
        patient.Scene.Origin.Script = new OriginScript { Body = Corpus.Answer };
        var whole = (await patient.Ask()).Body;
        var pieces = new Mutator(random, Corpus.Heads, Corpus.Words).Split(Corpus.Answer, most: 12);
        patient.Scene.Origin.Script = new OriginScript { Pieces = pieces, Headers = new() { ["Content-Type"] = "text/event-stream" } };

        var cut = (await patient.Ask()).Body;

        cut.ShouldBe(whole, $"{Where(round)}: {string.Join(" / ", pieces)}");
        whole.ShouldContain("data: PLACEHOLDER_KEY|");
    }

    static async Task Configs(Random random, int round)
    {
        var config = new SuiteConfig { File = new Mutator(random, Corpus.Configs, Corpus.ConfigWords).Next() };
        await using var scene = await Scene.Start(config, null, Token);
        try
        {
            await using var proxy = await new CentaurTarget().Start(config, scene, Token);
            proxy.Lives.ShouldBeTrue();
        }
        catch (NotStartedException refusal)
        {
            const int usage = 2;
            refusal.ExitCode.ShouldBeInRange(1, usage, $"{Where(round)}:\n{config.File}\n{refusal.Message}");
            refusal.Message.ShouldNotContain("Unhandled exception", Case.Insensitive, $"{Where(round)}:\n{config.File}");
            refusal.Message.ShouldNotContain("   at ", Case.Sensitive, $"{Where(round)}:\n{config.File}");
        }
    }

    static string Where(int round) => $"seed {FuzzSettings.Seed}, round {round}";
}
