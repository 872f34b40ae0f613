using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Egress;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Egress.Usage;

/// <summary>From an outcome's record to what a turn cost.</summary>
public sealed class UsageTests(PostgresServer postgres, QuietServer quiet) : IClassFixture<QuietServer>
{
    readonly ServerFixture server = quiet.Fixture;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_threads_turns_are_added_up_by_model_and_have_a_price_where_the_model_has_one()
    {
        var file = new AuditFileOf(server)
            .Line("outcome", "r-1", Cost("gpt-5-codex-2025-09-15", input: 1_000_000, cached: 2_000_000, output: 100_000))
            .Line("outcome", "r-2", Cost("gpt-5-codex-2025-09-15", input: 0, cached: null, output: 100_000))
            .Line("outcome", "r-3", Cost("llama-local", input: 10, cached: null, output: 5))
            .Requests(1);
        await Ship(server);

        var usage = await Read(server, $"/agent/threads/{file.Thread}/usage");

        usage["turns"]!.AsArray().Count.ShouldBe(2);
        var priced = usage["turns"]![0]!;
        ((string)priced["turn_id"]!).ShouldBe("turn-1");
        ((string)priced["model"]!).ShouldBe("gpt-5-codex-2025-09-15");
        priced["usage"]!.ToJsonString().ShouldBe(
            """{"calls":2,"input_tokens":1000000,"cached_tokens":2000000,"cache_write_tokens":null,"output_tokens":200000,"cost_usd":3.500,"unpriced_calls":0,"partial_calls":0}""");
        usage["turns"]![1]!["usage"]!["cost_usd"].ShouldBeNull("its price is not known, and unknown is not nothing");
        var total = usage["total"]!;
        ((int)total["calls"]!, (decimal)total["cost_usd"]!, (int)total["unpriced_calls"]!).ShouldBe((3, 3.5m, 1));
    }

    [Fact]
    public async Task F56_an_answer_without_its_numbers_is_unknown_and_counted_as_such()
    {
        var file = new AuditFileOf(server)
            .Line("outcome", "r-1", new JsonObject { ["status"] = 200, ["usage"] = new JsonObject { ["calls"] = 1, ["partial"] = true } })
            .Line("outcome", "r-2", new JsonObject { ["status"] = 200, ["usage"] = new JsonObject { ["model"] = "gpt-5", ["calls"] = "x", ["input_tokens"] = -4, ["output_tokens"] = "x" } })
            .Line("outcome", "r-3", new JsonObject { ["status"] = 200, ["usage"] = "none" });
        await Ship(server);

        var total = (await Read(server, $"/agent/threads/{file.Thread}/usage"))["total"]!;

        total.ToJsonString().ShouldBe(
            """{"calls":2,"input_tokens":null,"cached_tokens":null,"cache_write_tokens":null,"output_tokens":null,"cost_usd":null,"unpriced_calls":2,"partial_calls":1}""");
    }

    [Fact]
    public async Task An_operators_price_comes_before_a_listed_one()
    {
        await using var own = new ServerFixture(postgres)
        {
            Yaml = "egress:\n  ship_seconds: 3600\n  prices:\n    - {model: gpt-5, input: 2, output: 4}\n    - {model: \"house-*\", input: 1, cached: 0.5, output: 1}\n",
        };
        await own.Start(Cancellation);
        var file = new AuditFileOf(own)
            .Line("outcome", "r-1", Cost("gpt-5", input: 1_000_000, cached: 1_000_000, output: 0))
            .Line("outcome", "r-2", Cost("house-9", input: 0, cached: 1_000_000, output: 0));
        await Ship(own);

        var turns = (await Read(own, $"/agent/threads/{file.Thread}/usage"))["turns"]!.AsArray();

        turns.Select(turn => (decimal)turn!["usage"]!["cost_usd"]!).ShouldBe([4m, 0.5m], "where the cache has no price of its own, it costs what is read anew");
    }

    [Fact]
    public async Task All_threads_are_added_up_by_day_and_model()
    {
        await using var own = new ServerFixture(postgres) { Yaml = "egress: {ship_seconds: 3600}\n" };
        await own.Start(Cancellation);
        for (var thread = 0; thread < 2; thread++)
            _ = new AuditFileOf(own).Line("outcome", "r-1", Cost("gpt-5", input: 10, cached: null, output: 5, TimeProvider.System.GetUtcNow()));
        _ = new AuditFileOf(own).Line("outcome", "r-1", Cost("gpt-5", input: 10, cached: null, output: 5, TimeProvider.System.GetUtcNow().AddDays(-40)));
        await Ship(own);

        var recent = await Read(own, "/admin/usage");
        ((int)recent["total"]!["calls"]!).ShouldBe(2);
        recent["days"]!.AsArray().Single()!["usage"]!["input_tokens"]!.GetValue<long>().ShouldBe(20);
        ((int)(await Read(own, "/admin/usage?days=60"))["total"]!["calls"]!).ShouldBe(3);
        foreach (var nonsense in (string[])["0", "367", "-1", "x"])
            (await own.Api.Get($"/admin/usage?days={nonsense}")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task An_unknown_thread_is_404_and_one_that_asked_no_model_cost_nothing()
    {
        (await server.Api.Get($"/agent/threads/{Http.NewThread()}/usage")).Status.ShouldBe(HttpStatusCode.NotFound);
        var file = new AuditFileOf(server).Requests(1);
        await Ship(server);
        ((int)(await Read(server, $"/agent/threads/{file.Thread}/usage"))["total"]!["calls"]!).ShouldBe(0);
    }

    static JsonObject Cost(string model, long input, long? cached, long output, DateTimeOffset? at = null)
    {
        var usage = new JsonObject { ["model"] = model, ["calls"] = 1, ["input_tokens"] = input, ["output_tokens"] = output };
        if (cached is { } tokens)
            usage["cached_tokens"] = tokens;
        var fields = new JsonObject { ["status"] = 200, ["usage"] = usage };
        if (at is { } time)
            fields["time"] = time.ToString("O");
        return fields;
    }

    static Task Ship(ServerFixture server) => server.Services.GetRequiredService<AuditShipping>().Run(Cancellation);

    static async Task<JsonNode> Read(ServerFixture server, string path)
    {
        var (status, json) = await server.Api.Get(path);
        status.ShouldBe(HttpStatusCode.OK, $"{json}");
        return json!;
    }
}
