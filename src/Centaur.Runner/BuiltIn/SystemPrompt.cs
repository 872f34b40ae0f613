using System.Text;

namespace Centaur.Runner.BuiltIn;

/// <summary>What the model is told about its place: a few lines, and the workspace's own AGENTS.md.</summary>
internal static class SystemPrompt
{
    const int MaxInstructions = 256 * 1024;

    const string Place =
        """
        You are an agent that does real work for a team. You work in a sandbox: a Linux machine of your own with a workspace folder, where you may run any
        command and change any file. There is no network except through a proxy that allows what the team has allowed; a refusal says why.
        Credentials in the environment are placeholders that the proxy replaces; use them as they are.
        Use your tools to find out rather than to guess, and check what you did. Answer briefly, in the language of the question.
        """;

    public static async Task<string> Read(string workspace, CancellationToken cancellationToken)
    {
        var prompt = new StringBuilder(Place).Append("\nThe workspace is ").Append(workspace).Append('.');
        var file = Path.Combine(workspace, "AGENTS.md");
        if (File.Exists(file))
        {
            var text = await File.ReadAllTextAsync(file, cancellationToken);
            prompt.Append("\n\nAGENTS.md of the workspace:\n\n").Append(text.Length > MaxInstructions ? text[..MaxInstructions] : text);
        }

        return prompt.ToString();
    }
}
