using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Runner.Keep.Harness.Codex;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Harness.Codex;

public sealed class CodexConfigTests
{
    [Fact]
    public void The_provider_is_our_own_and_nothing_else_is_called()
    {
        var text = CodexConfig.Text(ScriptedCodex.Launch() with { Model = "gpt-x" });

        text.ShouldContain("model = \"gpt-x\"\n");
        text.ShouldContain("model_provider = \"centaur\"\n");
        text.ShouldContain("base_url = \"https://model.example/v1\"\nenv_key = \"KEY\"\n");
        text.ShouldContain("wire_api = \"responses\"\n");
        text.ShouldContain("check_for_update_on_startup = false\n");
        text.ShouldContain("plugins = false\napps = false\n");
    }

    [Fact]
    public void A_model_without_a_key_names_no_variable() =>
        CodexConfig.Text(ScriptedCodex.Launch() with { KeyVariable = null }).ShouldNotContain("env_key");

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    [InlineData("x\"\n[evil]\ny=\"", "\"x\\\"\\u000A[evil]\\u000Ay=\\\"\"")]
    [InlineData("é😀\u007F", "\"é😀\\u007F\"")]
    public void A_value_cannot_leave_its_string(string value, string quoted) => CodexConfig.Quoted(value).ShouldBe(quoted);

    [Fact]
    public void Instructions_become_the_workspaces_agents_file()
    {
        var command = new CodexDriver().Command(ScriptedCodex.Launch() with { Instructions = "Be brief." });

        command.Arguments.ShouldBe(["/opt/codex", "app-server", "--listen", "stdio://"]);
        command.Files.Select(file => file.Path).ShouldBe([CodexConfig.Path, JailPaths.Workspace + "/AGENTS.md"]);
    }
}
