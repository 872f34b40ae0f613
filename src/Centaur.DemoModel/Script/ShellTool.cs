using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Centaur.DemoModel.Script;

/// <summary>
/// Picks the client's shell among the tools that it declared, and reads what it answered. The forms are those of the harnesses that Centaur runs:
/// one function with a command, codex's pair of functions for a session, and codex's code mode, where a script calls the shell.
/// </summary>
internal static partial class ShellTool
{
    static readonly string[] Names = ["exec_command", "shell_command", "shell", "Bash", "bash"];

    public static ToolCall? Call(IReadOnlyList<DeclaredTool> tools, string command)
    {
        if (Names.Select(name => Find(tools, name)).FirstOrDefault(tool => tool is { FreeForm: false }) is { } shell)
            return new ToolCall(shell, Arguments(shell, command).ToJsonString());
        return Find(tools, "exec") is { FreeForm: true } code ? new ToolCall(code, CodeModeScript(command)) : null;
    }

    /// <summary>Asks again for the rest of a command that still runs, or null where <paramref name="output"/> is the whole of it.</summary>
    public static ToolCall? Continue(IReadOnlyList<DeclaredTool> tools, string output)
    {
        if (RunningSession().Match(Header(output)) is { Success: true } session && Find(tools, "write_stdin") is { } stdin)
        {
            var id = int.Parse(session.Groups["id"].ValueSpan, CultureInfo.InvariantCulture);
            return new ToolCall(stdin, new JsonObject { ["session_id"] = id, ["chars"] = "", ["yield_time_ms"] = 30_000 }.ToJsonString());
        }

        if (RunningCell().Match(Header(output)) is { Success: true } cell && Find(tools, "wait") is { } wait)
            return new ToolCall(wait, new JsonObject { ["cell_id"] = cell.Groups["id"].Value, ["yield_time_ms"] = 30_000 }.ToJsonString());
        return null;
    }

    public static bool IsUnfinished(string output) => RunningSession().IsMatch(Header(output)) || RunningCell().IsMatch(Header(output));

    /// <summary>The newest command's output: the parts that were told while it ran, and its end.</summary>
    public static string Report(IReadOnlyList<string> outputs)
    {
        var from = outputs.Count - 1;
        while (from > 0 && IsUnfinished(outputs[from - 1]))
            from--;
        var text = string.Concat(outputs.Skip(from).Select(Printed)).Trim();
        return text.Length > 0 ? text : "The command printed nothing.";
    }

    static DeclaredTool? Find(IReadOnlyList<DeclaredTool> tools, string name) => tools.FirstOrDefault(tool => tool.Name == name);

    static JsonObject Arguments(DeclaredTool shell, string command)
    {
        if (shell.Parameters.ContainsKey("cmd"))
            return new JsonObject { ["cmd"] = command, ["yield_time_ms"] = 30_000 };
        return shell.Parameters.GetValueOrDefault("command") == "array"
            ? new JsonObject { ["command"] = new JsonArray("bash", "-lc", command) }
            : new JsonObject { ["command"] = command };
    }

    static string CodeModeScript(string command) =>
        $$"""
        // @exec: {"yield_time_ms": 30000}
        let result = await tools.exec_command({ cmd: {{JsonValue.Create(command).ToJsonString()}}, yield_time_ms: 30000 });
        let output = result.output;
        while (result.session_id !== undefined && result.exit_code === undefined) {
          result = await tools.write_stdin({ session_id: result.session_id, chars: "", yield_time_ms: 30000 });
          output += result.output;
        }
        if (result.exit_code) output = output.trimEnd() + `\n(exit code ${result.exit_code})`;
        text(output);
        """;

    static string Printed(string output)
    {
        var header = Header(output);
        if (header.Length == 0)
            return output;
        var printed = output[header.Length..];
        return ExitCode().Match(header) is { Success: true } exit && exit.Groups["code"].Value != "0"
            ? $"{printed.TrimEnd()}\n(exit code {exit.Groups["code"].Value})"
            : printed;
    }

    /// <summary>What codex puts before the command's own words, up to and with its line "Output:"; empty where there is none.</summary>
    static string Header(string output) => HeaderBlock().Match(output) is { Success: true } header ? header.Value : "";

    [GeneratedRegex(@"\A(?:[A-Z][^\n]*\n){1,8}?Output:\n?", RegexOptions.None, matchTimeoutMilliseconds: 2000)]
    private static partial Regex HeaderBlock();

    [GeneratedRegex(@"^Process running with session ID (?<id>\d+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex RunningSession();

    [GeneratedRegex(@"^Script running with cell ID (?<id>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex RunningCell();

    [GeneratedRegex(@"^(?:Process exited with|Exit) code:? (?<code>-?\d+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex ExitCode();
}
