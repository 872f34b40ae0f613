using System.Diagnostics;
using System.Text.Json.Nodes;
using Centaur.Runner.BuiltIn.ModelApis;
using Centaur.Runner.BuiltIn.Tools;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.BuiltIn.Tools;

public sealed class ToolBoxTests : IDisposable
{
    readonly TemporaryFolder workspace = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_streams_of_a_command_come_back_in_order_with_its_exit_code()
    {
        var result = await Run("shell", new JsonObject { ["command"] = "echo out; echo err >&2; echo \"it's\" 'quoted'; exit 4" });
        result.ShouldBe(ToolResult.Error("out\nerr\nit's quoted\n(exit code 4)"));
    }

    [Fact]
    public async Task A_long_output_keeps_its_beginning_and_its_end()
    {
        var result = await Run("shell", new JsonObject { ["command"] = "echo first; seq 200000; echo last" });

        result.Text.ShouldStartWith("first\n1\n");
        result.Text.ShouldEndWith("200000\nlast\n");
        result.Text.ShouldContain("bytes left out");
        result.Text.Length.ShouldBeLessThan(60_000);
    }

    [Fact]
    public async Task A_timeout_kills_everything_that_the_command_started()
    {
        var pids = workspace["pids"];
        var result = await Run("shell", new JsonObject { ["command"] = $"sleep 700 & echo $! > {pids}; echo begun; sleep 700", ["timeout_seconds"] = 1 });

        result.IsError.ShouldBeTrue();
        result.Text.ShouldBe("begun\n\n(killed after 1 s)");
        await Ended(int.Parse(await File.ReadAllTextAsync(pids, Cancellation), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_process_that_is_left_behind_is_not_waited_for()
    {
        var pid = workspace["pid"];
        var before = Stopwatch.GetTimestamp();
        var result = await Run("shell", new JsonObject { ["command"] = $"sleep 700 & echo $! > {pid}; echo done" });

        result.ShouldBe(new ToolResult("done\n"));
        Stopwatch.GetElapsedTime(before).ShouldBeLessThan(TimeSpan.FromSeconds(60));
        using var left = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pid, Cancellation), System.Globalization.CultureInfo.InvariantCulture));
        left.Kill();
    }

    [Fact]
    public async Task Files_are_written_read_edited_and_listed()
    {
        (await Run("write_file", new JsonObject { ["path"] = "src/deep/a.txt", ["content"] = "one\ntwo\nthree\n" })).IsError.ShouldBeFalse();
        (await Run("read_file", new JsonObject { ["path"] = "src/deep/a.txt", ["first_line"] = 2, ["lines"] = 1 })).Text.ShouldBe("two\n[The file goes on at line 3.]");
        (await Run("edit_file", new JsonObject { ["path"] = "src/deep/a.txt", ["old_text"] = "two", ["new_text"] = "2" })).IsError.ShouldBeFalse();
        (await Run("list_files", new JsonObject { ["depth"] = 3 })).Text.ShouldBe("src/\nsrc/deep/\nsrc/deep/a.txt\n");
        (await File.ReadAllTextAsync(workspace["src/deep/a.txt"], Cancellation)).ShouldBe("one\n2\nthree\n");
    }

    [Theory]
    [InlineData("read_file", """{"path":"absent"}""", "no such file")]
    [InlineData("read_file", """{}""", "'path' is missing")]
    [InlineData("read_file", """{"path":"/bin/true"}""", "no text file")]
    [InlineData("edit_file", """{"path":"twice","old_text":"x","new_text":"y"}""", "2 times")]
    [InlineData("edit_file", """{"path":"twice","old_text":"z","new_text":"y"}""", "does not stand")]
    [InlineData("write_file", """{"path":"/proc/none/x","content":""}""", "no such file")]
    [InlineData("dance", """{}""", "no tool 'dance'")]
    [InlineData("shell", """{"_unreadable_arguments":"{"}""", "not a JSON object")]
    public async Task A_wrong_call_is_answered_in_words(string tool, string input, string words)
    {
        await File.WriteAllTextAsync(workspace["twice"], "x x", Cancellation);

        var result = await Run(tool, (JsonObject)JsonNode.Parse(input)!);

        result.IsError.ShouldBeTrue();
        result.Text.ShouldContain(words);
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task An_interrupt_that_meets_a_command_before_it_leads_its_own_group_ends_it_all_the_same()
    {
        for (var n = 0; n < 20; n++)
        {
            using var interrupt = new CancellationTokenSource();
            var running = new ToolBox(workspace.FullPath).Run(new ToolUse("call-1", "shell", new JsonObject { ["command"] = "sleep 600 & sleep 600" }), interrupt.Token);
            await interrupt.CancelAsync();

            await Should.ThrowAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
        }
    }

    Task<ToolResult> Run(string tool, JsonObject input) => new ToolBox(workspace.FullPath).Run(new ToolUse("call-1", tool, input), Cancellation);

    static async Task Ended(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        }
        catch (ArgumentException)
        {
            // Gone already.
        }
    }
}
