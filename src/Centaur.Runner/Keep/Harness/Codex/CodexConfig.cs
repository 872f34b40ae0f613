using System.Globalization;
using System.Text;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>
/// Codex's configuration. A provider of our own, because the built-in one first tries a WebSocket for ten seconds; everything that would call a host that is
/// not the model's is off; requests are retried a few times, then the turn fails where its author sees it.
/// </summary>
internal static class CodexConfig
{
    public const string Path = JailPaths.Home + "/.codex/config.toml";

    public static string Text(HarnessLaunch launch)
    {
        var text = new StringBuilder();
        if (launch.Model is { } model)
            text.Append(CultureInfo.InvariantCulture, $"model = {Quoted(model)}\n");
        text.Append(
            """
            model_provider = "centaur"
            approval_policy = "never"
            sandbox_mode = "danger-full-access"
            check_for_update_on_startup = false

            [model_providers.centaur]
            name = "Centaur"
            wire_api = "responses"
            request_max_retries = 4
            stream_max_retries = 5
            stream_idle_timeout_ms = 300000

            """);
        text.Append(CultureInfo.InvariantCulture, $"base_url = {Quoted(launch.BaseUrl)}\n");
        if (launch.KeyVariable is { } variable)
            text.Append(CultureInfo.InvariantCulture, $"env_key = {Quoted(variable)}\n");
        text.Append(
            $"""

            [projects.{Quoted(JailPaths.Workspace)}]
            trust_level = "trusted"

            [analytics]
            enabled = false

            [features]
            plugins = false
            apps = false

            """);
        return text.ToString();
    }

    /// <summary>A TOML basic string.</summary>
    internal static string Quoted(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in value.EnumerateRunes())
        {
            if (rune.Value is '"' or '\\')
                quoted.Append('\\').Append(rune);
            else if (rune.Value < 0x20 || rune.Value == 0x7F)
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            else
                quoted.Append(rune);
        }

        return quoted.Append('"').ToString();
    }
}
