using Centaur.DemoModel.Script;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Script;

public sealed class ModelScriptTests
{
    static readonly DeclaredTool Shell = new("shell", null, FreeForm: false, new Dictionary<string, string> { ["command"] = "string" });
    static readonly DeclaredTool OldShell = new("shell", null, FreeForm: false, new Dictionary<string, string> { ["command"] = "array" });
    static readonly DeclaredTool Exec = new("exec_command", null, FreeForm: false, new Dictionary<string, string> { ["cmd"] = "string" });
    static readonly DeclaredTool Stdin = new("write_stdin", null, FreeForm: false, new Dictionary<string, string>());
    static readonly DeclaredTool CodeMode = new("exec", "functions", FreeForm: true, new Dictionary<string, string>());

    [Fact]
    public void Step_1_without_an_instruction_it_introduces_itself_in_one_line()
    {
        var text = ModelScript.Answer(Request("What is the weather?")).WholeText;
        text.ShouldContain("demo model");
        text.ShouldContain("centaur secrets set OPENAI_API_KEY");
        text.ShouldNotContain('\n');
    }

    [Fact]
    public void Step_2_what_a_tool_printed_is_the_answer() => ModelScript.Answer(Request("Run: ls", [Shell], "a\nb\n")).WholeText.ShouldBe("a\nb");

    [Fact]
    public void Step_3_instructions_are_followed_up_to_the_next_command()
    {
        var reply = ModelScript.Answer(Request("Reply with exactly A\nRun: ls\nReply with exactly B\nRun: pwd\nReply with exactly C", [Shell]));
        reply.WholeText.ShouldBe("A");
        reply.Call!.Input.ShouldBe("""{"command":"ls"}""");

        reply = ModelScript.Answer(Request("Reply with exactly A\nRun: ls\nReply with exactly B\nRun: pwd\nReply with exactly C", [Shell], "listing"));
        reply.WholeText.ShouldBe("listing\nB");
        reply.Call!.Input.ShouldBe("""{"command":"pwd"}""");

        reply = ModelScript.Answer(Request("Reply with exactly A\nRun: ls\nReply with exactly B\nRun: pwd\nReply with exactly C", [Shell], "listing", "/work"));
        reply.WholeText.ShouldBe("/work\nC");
        reply.Call.ShouldBeNull();
    }

    [Fact]
    public void A_command_without_a_shell_is_declined() => ModelScript.Answer(Request("Run: ls")).WholeText.ShouldContain("no shell tool");

    [Fact]
    public void Each_form_of_shell_is_called_as_it_was_declared()
    {
        ModelScript.Answer(Request("Run: ls", [OldShell])).Call!.Input.ShouldBe("""{"command":["bash","-lc","ls"]}""");
        ModelScript.Answer(Request("Run: ls", [Exec])).Call!.Input.ShouldContain("\"cmd\":\"ls\"");
        ModelScript.Answer(Request("Run: echo \"x\\y\"", [CodeMode])).Call!.Input.ShouldContain("""cmd: "echo \u0022x\\y\u0022", yield""");
    }

    [Fact]
    public void A_command_that_still_runs_is_waited_for()
    {
        const string Running = "Wall time: 30 seconds\nProcess running with session ID 42\nOutput:\nbegun\n";
        const string Ended = "Wall time: 1 seconds\nProcess exited with code 3\nOutput:\nended\n";

        var waiting = ModelScript.Answer(Request("Run: slow", [Exec, Stdin], Running));
        waiting.Call!.Tool.ShouldBe(Stdin);
        waiting.Call.Input.ShouldContain("\"session_id\":42");

        var reported = ModelScript.Answer(Request("Run: slow", [Exec, Stdin], Running, Ended));
        reported.WholeText.ShouldBe("begun\nended\n(exit code 3)");
        reported.Call.ShouldBeNull();
    }

    static ModelRequest Request(string text, IReadOnlyList<DeclaredTool>? tools = null, params IReadOnlyList<string> outputs) => new()
    {
        Model = "m",
        Stream = true,
        UserText = text,
        ToolOutputs = outputs,
        Tools = tools ?? [],
        InputTokens = 1,
    };
}
