using System.Text.Json.Nodes;
using Centaur.Cli.Api;
using Centaur.Cli.Ask;
using Centaur.Cli.Commands;
using Centaur.Cli.Processes;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Ask;

public sealed class AskTurnTests : IAsyncLifetime
{
    StandInServer server = null!;
    TemporaryHome? home;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await StandInServer.Start();
        server.Events.Add(("execution_state", """{"status":"queued"}"""));
        server.Events.Add(("execution_state", """{"status":"running"}"""));
        server.Events.Add(("amp_raw_event", """{"type":"item.started","item":{"id":"i1","type":"command_execution","command":"git log"}}"""));
        server.Events.Add(("amp_raw_event", """{"type":"item.completed","item":{"id":"i1","type":"command_execution","command":"git log"}}"""));
        server.Events.Add(("execution_state", """{"status":"completed","result_text":"PONG"}"""));
    }

    public async ValueTask DisposeAsync()
    {
        if (home is not null)
            await home.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task The_answer_alone_goes_to_standard_output_and_each_deed_once_to_standard_error()
    {
        (await Ask("ask", "Reply with exactly", "PONG.")).ShouldBe(ExitCode.Ok);

        home!.Output.ShouldBe("PONG\n");
        home.Error.Split('\n').Count(line => line == "$ git log").ShouldBe(1);
        home.Error.ShouldContain("codex 0.169.0");
        server.Messages.ShouldHaveSingleItem()["parts"]!.ToJsonString().ShouldBe("""[{"type":"text","text":"Reply with exactly PONG."}]""");
        server.Executed.ShouldHaveSingleItem()["delivery"]!.ToJsonString().ShouldBe("""{"channel":"dev","platform":"dev"}""");
    }

    [Fact]
    public async Task With_json_one_object_names_thread_execution_harness_and_version()
    {
        (await Ask("ask", "--json", "--thread", "t", "--quiet", "hello")).ShouldBe(ExitCode.Ok);

        var result = JsonNode.Parse(home!.Output)!;
        result["thread_key"]!.ToString().ShouldBe("t");
        result["execution_id"]!.ToString().ShouldBe("exe_1");
        result["status"]!.ToString().ShouldBe("completed");
        result["result_text"]!.ToString().ShouldBe("PONG");
        result["harness"]!.ToString().ShouldBe("codex");
        result["harness_version"]!.ToString().ShouldBe("0.169.0");
        result["duration_ms"]!.GetValue<long>().ShouldBeGreaterThanOrEqualTo(0);
        home.Error.ShouldBe("");
    }

    [Fact]
    public async Task A_broken_stream_goes_on_after_the_last_event_that_was_seen()
    {
        server.Breaks.Enqueue(2);
        server.Breaks.Enqueue(1);

        (await Ask("ask", "hello")).ShouldBe(ExitCode.Ok);

        home!.Output.ShouldBe("PONG\n");
        server.Cursors.ShouldBe([0, 2, 3]);
        home.Error.Split('\n').Count(line => line == "$ git log").ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_is_not_ready_is_asked_again()
    {
        server.Unready = 3;

        (await Ask("ask", "hello")).ShouldBe(ExitCode.Ok);

        server.Executed.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_same_id_is_the_same_execution_and_another_question_under_it_is_refused()
    {
        (await Ask("ask", "--id", "q1", "hello")).ShouldBe(ExitCode.Ok);
        (await Ask("ask", "--id", "q1", "hello")).ShouldBe(ExitCode.Ok);
        (await Ask("ask", "--id", "q1", "something else")).ShouldBe(ExitCode.Refused);

        server.Executed.Select(body => body["execute_id"]!.ToString()).Distinct().ShouldHaveSingleItem().ShouldBe("ask-q1");
        home!.Error.ShouldContain("IDEMPOTENCY_PAYLOAD_MISMATCH");
    }

    [Fact]
    public async Task A_thread_of_another_harness_is_refused_with_the_command_that_frees_it()
    {
        (await Ask("ask", "--thread", "review", "--harness", "built-in", "hello")).ShouldBe(ExitCode.Refused);

        home!.Error.ShouldContain("The thread is assigned to harness:codex. (ACTIVE_ASSIGNMENT_PROMPT_MISMATCH)");
        home.Error.ShouldContain("centaur threads release review");
        server.Executed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failed_turn_is_explained_on_standard_error_and_ends_with_1()
    {
        server.Events[^1] = ("execution_state", """{"status":"failed_permanent"}""");
        server.Execution = """{"execution_id":"exe_1","thread_key":"t","status":"failed_permanent","terminal_reason":"execution_error","error_text":"out of memory"}""";

        (await Ask("ask", "hello")).ShouldBe(ExitCode.Failed);

        home!.Output.ShouldBe("");
        home.Error.ShouldContain("failed_permanent (execution_error)");
        home.Error.ShouldContain("out of memory");
    }

    [Fact]
    public async Task A_wrong_key_is_named_and_no_stack_trace_is_shown()
    {
        (await Ask(["ask", "hello"], new() { ["CENTAUR_API_KEY"] = "wrong" })).ShouldBe(ExitCode.Refused);

        home!.Error.ShouldContain("401: Invalid API key");
        home.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_question_may_come_from_standard_input_and_may_begin_with_an_at_sign()
    {
        (await Ask(["ask"], [], "@team hello\n")).ShouldBe(ExitCode.Ok);
        server.Messages.Last()["parts"]![0]!["text"]!.ToString().ShouldBe("@team hello\n");

        (await Ask("ask", "@team", "hello")).ShouldBe(ExitCode.Ok);
        server.Messages.Last()["parts"]![0]!["text"]!.ToString().ShouldBe("@team hello");
    }

    [Fact]
    public async Task Without_a_question_nothing_is_asked()
    {
        (await Ask("ask")).ShouldBe(ExitCode.Usage);

        server.Executed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_repository_is_handed_over_as_a_bundle_that_clones_with_its_history()
    {
        var repository = await MakeRepository();

        (await Ask("ask", "--repo", repository, "hello")).ShouldBe(ExitCode.Ok);

        server.BundleQuery.ShouldContain("name=project");
        server.BundleQuery.ShouldContain("branch=trunk");
        server.Executed.ShouldHaveSingleItem()["metadata"]!["repo"]!["name"]!.ToString().ShouldBe("project");
        var bundle = Path.Combine(home!.Context.Layout.Home, "received.bundle");
        await File.WriteAllBytesAsync(bundle, server.Bundle!, Token);
        var clone = Path.Combine(home.Context.Layout.Home, "clone");
        (await Git("clone", "-q", "-b", "trunk", bundle, clone)).Succeeded.ShouldBeTrue();
        (await Git("-C", clone, "log", "--format=%s")).Output.ShouldBe("Second\nFirst\n");
    }

    [Fact]
    public async Task A_bare_repository_is_handed_over_under_its_plain_name()
    {
        var bare = $"{await MakeRepository()}.git";
        (await Git("clone", "-q", "--bare", bare[..^4], bare)).Succeeded.ShouldBeTrue();

        (await Ask("ask", "--repo", bare, "hello")).ShouldBe(ExitCode.Ok);

        server.BundleQuery.ShouldContain("name=project&");
        var bundle = Path.Combine(home!.Context.Layout.Home, "received.bundle");
        await File.WriteAllBytesAsync(bundle, server.Bundle!, Token);
        (await Git("clone", "-q", bundle, Path.Combine(home.Context.Layout.Home, "clone"))).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task A_shallow_clone_is_refused_before_anything_is_sent_and_the_remedy_works()
    {
        var shallow = $"{await MakeRepository()}-shallow";
        (await Git("clone", "-q", "--depth", "1", $"file://{shallow[..^8]}", shallow)).Succeeded.ShouldBeTrue();

        (await Ask("ask", "--repo", shallow, "hello")).ShouldBe(ExitCode.Usage);

        home!.Error.ShouldContain($"git -C {shallow} fetch --unshallow");
        server.Bundle.ShouldBeNull();
        server.Executed.ShouldBeEmpty();
        (await Git("-C", shallow, "fetch", "-q", "--unshallow")).Succeeded.ShouldBeTrue();
        (await Ask("ask", "--repo", shallow, "hello")).ShouldBe(ExitCode.Ok);
    }

    [Theory]
    [InlineData("--repo")]
    [InlineData("--thread")]
    [InlineData("--id")]
    [InlineData("--harness")]
    public async Task An_empty_option_is_refused_before_anything_is_asked(string option)
    {
        (await Ask("ask", option, "", "hello")).ShouldBe(ExitCode.Usage);

        home!.Error.ShouldContain($"{option} is empty.");
        server.Executed.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_server_tells_besides_the_harness_is_progress()
    {
        server.Events.Insert(1, ("amp_raw_event", """{"type":"status","message":"Installing codex (once) …"}"""));

        (await Ask("ask", "hello")).ShouldBe(ExitCode.Ok);

        home!.Error.ShouldContain("Installing codex (once) …\n");
        home.Output.ShouldBe("PONG\n");
    }

    [Fact]
    public async Task Quietly_a_repository_is_handed_over_without_a_word()
    {
        var repository = await MakeRepository();

        (await Ask("ask", "-q", "--repo", repository, "hello")).ShouldBe(ExitCode.Ok);

        home!.Error.ShouldBe("");
        home.Output.ShouldBe("PONG\n");
    }

    [Fact]
    public void The_harness_that_the_server_would_take_decides_whether_a_model_can_be_asked()
    {
        var models = new ModelsAnswer("built-in", [new("codex", false, ["OPENAI_API_KEY"]), new("built-in", true, [])]);

        AskTurn.Wanted(models, null).Usable.ShouldBeTrue();
        AskTurn.Wanted(models, "codex").Usable.ShouldBeFalse();
        var unknown = Should.Throw<CliError>(() => AskTurn.Wanted(models, "codx"));
        unknown.ExitCode.ShouldBe(ExitCode.Usage);
        unknown.Meaning.ShouldBe("Did you mean codex?");
        Should.Throw<CliError>(() => AskTurn.Wanted(models, "claude-code")).Meaning.ShouldBeNull();
    }

    [Fact]
    public async Task What_is_no_repository_is_refused_before_anything_is_asked()
    {
        (await Ask("ask", "--repo", "/proc", "hello")).ShouldBe(ExitCode.Usage);

        home!.Error.ShouldContain("/proc is not a git repository");
        server.Executed.ShouldBeEmpty();
    }

    async Task<string> MakeRepository()
    {
        home ??= new TemporaryHome(server.Variables);
        var folder = Path.Combine(home.Context.Layout.Home, "project");
        Directory.CreateDirectory(folder);
        (await Git("init", "-q", "-b", "trunk", folder)).Succeeded.ShouldBeTrue();
        foreach (var subject in new[] { "First", "Second" })
            (await Git("-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", subject)).Succeeded.ShouldBeTrue();
        return folder;
    }

    static Task<ProcessRun> Git(params string[] arguments) => ProcessRun.Of(new ProcessCommand("git", arguments), Token);

    Task<int> Ask(params string[] arguments) => Ask(arguments, []);

    async Task<int> Ask(string[] arguments, Dictionary<string, string> variables, string input = "")
    {
        if (home is null || variables.Count > 0 || input.Length > 0)
        {
            if (home is not null)
                await home.DisposeAsync();
            home = new TemporaryHome(server.Variables.Concat(variables).GroupBy(each => each.Key).ToDictionary(same => same.Key, same => same.Last().Value), input);
        }

        return await CentaurCommand.Run(arguments, home.Context, Token);
    }
}
