using Centaur.Protocol.Policy.Templates;

namespace Centaur.Protocol.Policy.Transforms;

/// <summary>What the words of transforms must look like, said where somebody writes them and checked again where they are used.</summary>
public static class TransformForm
{
    static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "HTTP2-Settings",
        "Host", "Content-Length", "Expect", "Forwarded", "X-Real-IP", "X-Content-Length",
    };

    /// <summary>True for a request's header that a proxy consumes, or that only a proxy could truthfully say.</summary>
    public static bool EndsAtProxy(string header) =>
        HopByHop.Contains(header)
        || header.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)
        || header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a request cannot be given this header, or null where it can.</summary>
    public static string? HeaderProblem(string name)
    {
        if (name.StartsWith('/') || BindingForm.HeaderProblem(name) is not null)
            return $"\"{name}\" is not the name of a header";
        return EndsAtProxy(name) ? $"the header {name} ends at this proxy and cannot be set" : null;
    }

    /// <summary>Why a credential cannot be sent to this address, or null where it can.</summary>
    public static string? EndpointProblem(string key, string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0
            ? null
            : $"\"{key}\" must be an https address: credentials are sent there";

    /// <param name="key">The key where it stands.</param>
    /// <param name="text">The template.</param>
    /// <param name="fields">The fields that it may read.</param>
    public static string? TemplateProblem(string key, string text, IReadOnlyCollection<string> fields) =>
        TextTemplate.TryParse(text, fields, out _, out var problem) ? null : $"\"{key}\", {problem}";

    /// <summary>Why a word is none of these, or null where it is.</summary>
    public static string? WordProblem(string key, string word, IReadOnlyList<string> words) =>
        words.Contains(word) ? null : $"\"{key}\" must be {string.Join(", ", words.SkipLast(1))} or {words[^1]}, not \"{word}\"";
}
