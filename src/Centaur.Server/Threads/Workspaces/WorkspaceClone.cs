using Centaur.Protocol.Sandbox;

namespace Centaur.Server.Threads.Workspaces;

/// <summary>The step that turns an uploaded bundle into the workspace's clone: inside the jail, by its user, so that no line of a repository is ever read on the host.</summary>
internal static class WorkspaceClone
{
    /// <summary>
    /// A workspace that has a clone already keeps it: the step is offered again after a crash. A bundle has no remote to return to, so none is left.
    /// </summary>
    const string Script = """
        set -eu
        [ -e .git ] && exit 0
        bundle="$HOME/.centaur-$$.bundle"
        trap 'rm -f "$bundle"' EXIT
        curl -sSf --noproxy '*' -H "Authorization: Bearer $(cat "$HOME/.api_key")" "$CENTAUR_API_URL$1" -o "$bundle"
        git -c protocol.file.allow=always clone -q "$bundle" .
        git remote remove origin
        """;

    public static SetupCommand Command(string threadKey, string name) => new(
        $"clone the repository {name}",
        ["/bin/bash", "-c", Script, "clone", $"/agent/workspaces/{Uri.EscapeDataString(threadKey)}/bundle"]);
}
