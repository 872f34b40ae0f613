using Centaur.Cli.Api;
using Centaur.Cli.Commands;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Api;

public sealed class OperatorVerbsTests : IAsyncLifetime
{
    StandInServer server = null!;
    TemporaryHome home = null!;

    public async ValueTask InitializeAsync()
    {
        server = await StandInServer.Start();
        home = new TemporaryHome(server.Variables, "the-value\n");
    }

    public async ValueTask DisposeAsync()
    {
        await home.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_new_key_is_the_only_thing_on_standard_output()
    {
        (await Run("keys", "create", "ci", "--scope", "agent", "--scope", "tools:*")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe("aiv2_new\n");
        home.Error.ShouldContain("agent, tools:*");
    }

    [Fact]
    public async Task A_refused_scope_is_shown_in_the_servers_words()
    {
        (await Run("keys", "create", "ci", "--scope", "nonsense")).ShouldBe(ExitCode.Refused);

        home.Error.ShouldContain("Invalid scope: nonsense.");
    }

    [Fact]
    public async Task A_key_that_is_unknown_cannot_be_revoked()
    {
        (await Run("keys", "revoke", "k1")).ShouldBe(ExitCode.Ok);
        (await Run("keys", "revoke", "k2")).ShouldBe(ExitCode.Refused);
    }

    [Fact]
    public async Task Threads_are_listed_as_a_table_of_one_line_each()
    {
        (await Run("threads", "ls")).ShouldBe(ExitCode.Ok);

        var lines = home.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(2);
        lines[1].ShouldContain("t-1");
        lines[1].ShouldContain("2025-11-20 18:00:00Z");
        lines[1].ShouldContain("What is new?");
        lines[1].ShouldNotContain("PONG");
    }

    [Fact]
    public async Task A_thread_is_shown_oldest_first_with_the_error_of_a_failed_turn()
    {
        server.Execution = """{"execution_id":"exe_1","thread_key":"t-1","status":"failed_permanent","terminal_reason":"execution_error","error_text":"out of memory"}""";

        (await Run("threads", "show", "t-1")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe(
            """
            [user] What is new?
            <attachment_ref report.pdf>
            exe_0  completed  2025-11-20 18:00:00Z
            exe_1  failed_permanent  2025-11-20 18:01:00Z  2.5 s
              execution_error: out of memory

            """);
    }

    [Fact]
    public async Task A_thread_is_stopped_or_released_and_what_came_of_it_is_said()
    {
        (await Run("threads", "stop", "t-1")).ShouldBe(ExitCode.Ok);
        (await Run("threads", "stop", "t-2")).ShouldBe(ExitCode.Ok);
        (await Run("threads", "stop", "t-3")).ShouldBe(ExitCode.Ok);
        (await Run("threads", "release", "t-1", "--cancel")).ShouldBe(ExitCode.Ok);
        (await Run("threads", "release", "t-1")).ShouldBe(ExitCode.Ok);

        home.Error.ShouldBe(
            """
            Stopped t-1.
            Nothing ran in t-2, and it had no sandbox.
            Nothing ran in t-3, and it had no sandbox.
            Released t-1.
            t-1 had nothing to release.

            """);
        home.Output.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("show")]
    [InlineData("stop")]
    [InlineData("stop", "--json")]
    [InlineData("release")]
    [InlineData("release", "--json")]
    public async Task A_thread_that_is_not_there_is_refused(string verb, params string[] options)
    {
        (await Run(["threads", verb, "nope", .. options])).ShouldBe(ExitCode.Refused);

        home.Error.ShouldContain("There is no thread nope.");
        home.Output.ShouldBe("");
    }

    [Fact]
    public async Task A_thread_that_has_said_nothing_yet_is_shown_as_empty()
    {
        (await Run("threads", "show", "t-2")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe("");
        home.Error.ShouldBe("");
    }

    [Fact]
    public async Task Where_no_secret_is_set_a_note_says_so_and_no_bare_heading_is_printed()
    {
        (await Run("secrets", "ls")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe("");
        home.Error.ShouldContain("No secret is set");
    }

    [Fact]
    public async Task A_secret_is_listed_with_the_place_that_its_value_is_read_from()
    {
        server.Secrets["ACME_TOKEN"] = new() { ["source"] = new System.Text.Json.Nodes.JsonObject { ["type"] = "vault_kv", ["reference"] = "secret/acme#token" } };

        (await Run("secrets", "ls")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldContain("vault_kv:secret/acme#token");
    }

    [Fact]
    public async Task Events_are_followed_as_json_lines_with_json_and_without()
    {
        server.Events.Add(("execution_state", """{"status":"running"}"""));
        foreach (var options in (string[][])[[], ["--json"]])
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var before = home.Output.Length;
            var tail = CentaurCommand.Run(["threads", "tail", "t-1", .. options], home.Context, enough.Token);
            while (home.Output.Length == before && !tail.IsCompleted)
                await Task.Delay(20, enough.Token);

            await enough.CancelAsync();

            (await tail).ShouldBe(ExitCode.Interrupted);
        }

        const string Line = """{"event_id":1,"kind":"execution_state","event":{"status":"running"}}""";
        home.Output.ShouldBe($"{Line}\n{Line}\n");
    }

    [Fact]
    public void Fields_that_a_server_refuses_are_sentences_with_something_to_do()
    {
        var refusal = ApiRefusal.Of(422, """{"detail":[{"loc":["body","bindings"],"msg":"each binding must name its hosts","type":"value_error"},{"loc":["body"],"msg":"name is odd.","type":"value_error"}]}""");

        refusal.Message.ShouldBe("The server answered 422: each binding must name its hosts. name is odd.");
        refusal.Remedy.ShouldNotBeNull();
        refusal.ExitCode.ShouldBe(ExitCode.Refused);
    }

    [Theory]
    [InlineData(409, """{"code":"WORKSPACE_IN_USE","message":"This thread works already."}""", "This thread works already. (WORKSPACE_IN_USE)", 5)]
    [InlineData(401, """{"detail":"Invalid API key"}""", "Invalid API key", 5)]
    [InlineData(502, "<html>", "<html>", 4)]
    [InlineData(400, """{"detail":[{"odd":1}]}""", """{"detail":[{"odd":1}]}""", 5)]
    [InlineData(400, """{"detail":[1]}""", """{"detail":[1]}""", 5)]
    public void A_refusal_is_told_in_the_servers_words(int status, string body, string said, int exitCode)
    {
        var refusal = ApiRefusal.Of(status, body);

        refusal.Message.ShouldBe($"The server answered {status}: {said}");
        refusal.ExitCode.ShouldBe(exitCode);
    }

    [Theory]
    [InlineData("keys", "create", "", "--scope", "agent")]
    [InlineData("keys", "revoke", " ")]
    [InlineData("threads", "show", "")]
    public async Task An_empty_word_is_refused_before_anybody_is_asked(params string[] arguments)
    {
        (await Run(arguments)).ShouldBe(ExitCode.Usage);

        home.Error.ShouldContain("is empty.");
    }

    [Theory]
    [InlineData("threads ls --limit 0", "--limit is \"0\"; it must be a whole number from 1 to 500.")]
    [InlineData("threads ls --limit 501", "from 1 to 500.")]
    [InlineData("threads ls --limit many", "--limit is \"many\"")]
    [InlineData("threads ls --limit 99999999999999999999", "from 1 to 500.")]
    [InlineData("threads tail x --after -1", "from 0 on.")]
    [InlineData("logs -n 1.5", "--lines is \"1.5\"")]
    public async Task A_number_out_of_its_range_is_refused_in_plain_words(string line, string expected)
    {
        (await Run(line.Split(' '))).ShouldBe(ExitCode.Usage);

        home.Error.ShouldContain(expected);
        home.Error.ShouldNotContain("System.");
    }

    [Fact]
    public async Task A_secret_cannot_be_set_on_another_machine()
    {
        (await Run("secrets", "set", "OPENAI_API_KEY")).ShouldBe(ExitCode.Usage);

        server.Secrets.ShouldBeEmpty();
        home.Error.ShouldNotContain("the-value");
    }

    Task<int> Run(params string[] arguments) => CentaurCommand.Run(arguments, home.Context, TestContext.Current.CancellationToken);
}
