using System.Text.RegularExpressions;

namespace Centaur.DemoModel.Script;

/// <summary>Tells what a person wrote from what a client put beside it: surroundings, reminders and project instructions, all wrapped in tags.</summary>
internal static partial class UserText
{
    public static string Join(IEnumerable<string> parts) => string.Join('\n', parts.Where(part => !IsWrapped(part)));

    static bool IsWrapped(string part)
    {
        var text = part.Trim();
        return text.Length == 0 || text.StartsWith("# AGENTS.md instructions", StringComparison.Ordinal) || Wrapped().IsMatch(text);
    }

    [GeneratedRegex(@"\A<(?<tag>[a-z][a-z_-]*)[^>]*>.*</\k<tag>>\z", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 2000)]
    private static partial Regex Wrapped();
}
