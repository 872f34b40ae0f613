using System.Text;
using Shouldly;

namespace Centaur.EndToEnd.Egress;

/// <summary>Runs in a jail what an agent would run there.</summary>
internal static class JailShell
{
    /// <summary>One turn of the built-in harness that runs the script with bash, to its end.</summary>
    /// <returns>What it printed; a script that fails ends with its exit code in brackets.</returns>
    public static async Task<string> Shell(this Conversation conversation, string script, CancellationToken cancellationToken)
    {
        var ended = await conversation.Say($"Run: {OneLine(script)}", cancellationToken);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        return ended.GetProperty("result_text").GetString()!;
    }

    /// <summary>The scripted model takes a command from one line.</summary>
    public static string OneLine(string script) => $"bash -c \"$(echo {Convert.ToBase64String(Encoding.UTF8.GetBytes(script))} | base64 -d)\"";
}
