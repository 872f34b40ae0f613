using Centaur.Protocol.Policy;
using Centaur.Proxy.Forwarding;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Transforms;

/// <summary>A request as it will leave, and what transforms may do to it.</summary>
/// <param name="Message">Built and swapped; nothing of it has been sent.</param>
/// <param name="Line">Where it goes, as the rules saw it.</param>
/// <param name="Policy">The policy that it goes by.</param>
/// <param name="Chunked">True where the client sent the body without a length.</param>
sealed record OutgoingMessage(HttpRequestMessage Message, RequestLine Line, PolicyModel Policy, bool Chunked)
{
    /// <summary>Whatever stands there is dropped, whoever put it there; then the value is set, one character a byte.</summary>
    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        if (!Message.Headers.TryAddWithoutValidation(name, value))
            Message.Content?.Headers.TryAddWithoutValidation(name, value);
    }

    public void RemoveHeader(string name)
    {
        // Each collection refuses names that belong into the other.
        if (Message.Headers.NonValidated.Contains(name))
            Message.Headers.Remove(name);
        if (Message.Content is { } content && content.Headers.NonValidated.Contains(name))
            content.Headers.Remove(name);
    }

    /// <summary>Drops every parameter of this name, however it is encoded, and adds one; the others keep their order and their spelling.</summary>
    public void SetQuery(string name, ReadOnlySpan<byte> value)
    {
        var address = Message.RequestUri!;
        var kept = address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Where(pair => Name(pair) != name);
        var query = string.Join('&', kept.Append($"{PercentEncoding.Encode(System.Text.Encoding.UTF8.GetBytes(name), upperCase: true)}={PercentEncoding.Encode(value, upperCase: true)}"));
        var path = address.OriginalString.AsSpan(0, address.OriginalString.IndexOf('?') is var question and >= 0 ? question : address.OriginalString.Length);
        Message.RequestUri = new Uri($"{path}?{query}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    /// <summary>A piece of an echo is a piece of a value, which no scan can know: whoever is given a credential gets answers whole.</summary>
    public void AskForWholeAnswer()
    {
        RemoveHeader("Range");
        RemoveHeader("If-Range");
    }

    static string Name(string pair)
    {
        var equals = pair.IndexOf('=');
        return PercentEncoding.DecodeOnce((equals < 0 ? pair : pair[..equals]).Replace('+', ' '));
    }
}
