using Centaur.Server.Executions.Recovery;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions;

/// <summary>Which failures of a harness are tried again, and how the others are called (wire contract §2.1).</summary>
public sealed class HarnessFailureTests(PostgresServer postgres)
{
    const string AuthRefused = "401 Unauthorized: the access token of account 4711 is invalid";

    [Fact]
    public async Task A_refused_credential_is_tried_once_more_in_a_fresh_sandbox_by_itself()
    {
        var turns = 0;
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => turns++ == 0 ? keeper.Fail(AuthRefused) : keeper.Answer("PONG"));
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        var ended = await worker.End(execution);

        (ended.Text("status"), ended.Text("result_text")).ShouldBe(("completed", "PONG"));
        worker.Keepers.Started.Select(k => k.Inputs.Count).ShouldBe([1, 1]);
        worker.Keepers.Started[1].Inputs[0].ShouldBe(worker.Keepers.Started[0].Inputs[0], "no sandbox died, and nobody is told that one did");
        var retry = ended["metadata"]!["control_plane_retry"]!;
        ((string?)retry["reason"], (int?)retry["attempt"], (int?)retry["max_attempts"], (bool?)retry["fresh_runtime"], (string?)retry["last_error"])
            .ShouldBe(("harness_auth", 1, 1, true, AuthRefused));
        var queued = (await worker.Events(execution)).Last(e => e.Kind == "execution_state" && e.Json.GetProperty("status").GetString() == "queued");
        queued.Json.GetProperty("retry").GetProperty("reason").GetString().ShouldBe("harness_auth");
    }

    [Fact]
    public async Task A_credential_that_is_refused_twice_fails_with_words_that_name_nothing()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Fail(AuthRefused));
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        var ended = await worker.End(execution);

        (ended.Text("status"), ended.Text("terminal_reason"), ended.Text("error_text")).ShouldBe(("failed_permanent", "harness_auth_failed", HarnessFailure.AuthRefusedText));
        worker.Keepers.Started.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_death_after_a_refused_credential_still_has_its_second_attempt()
    {
        var turns = 0;
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => turns++ switch
        {
            0 => keeper.Fail(AuthRefused),
            1 => keeper.Die(),
            _ => keeper.Answer("PONG"),
        });
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        (await worker.End(execution)).Text("result_text").ShouldBe("PONG");
        worker.Keepers.Started.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("user cancelled (SIGINT)", "cancelled", "cancelled")]
    [InlineData("The run was ended: user canceled (sigterm)", "cancelled", "cancelled")]
    [InlineData("request timed out while reconnecting to the server", "failed_permanent", "amp_reconnect_timeout")]
    [InlineData("403 unauthorized: no such model", "failed_permanent", "harness_error")]
    public async Task Every_other_failure_ends_the_execution_under_its_own_reason(string error, string status, string reason)
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Fail(error));
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        var ended = await worker.End(execution);

        (ended.Text("status"), ended.Text("terminal_reason")).ShouldBe((status, reason));
        worker.Keepers.Started.Count.ShouldBe(1);
    }
}
