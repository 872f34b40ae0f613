namespace Centaur.Protocol.Policy.Transforms;

/// <summary>Requests that the proxy signs as they leave.</summary>
public sealed record HmacSignConfig : TransformConfig
{
    /// <summary>The role of the key that signs.</summary>
    public const string SecretRole = "secret";

    /// <summary>Credentials are fields of the templates under this prefix.</summary>
    public const string CredentialField = "Credentials.";

    /// <summary>The largest body that is held to be signed where nothing is said, in bytes.</summary>
    public const long UsualBody = 1 << 20;

    public static IReadOnlyList<string> Timestamps { get; } = ["unix_seconds", "unix_millis", "unix_nanos", "rfc3339"];

    public static IReadOnlyList<string> Algorithms { get; } = ["sha256", "sha512", "sha1"];

    public static IReadOnlyList<string> KeyEncodings { get; } = ["raw", "base64", "hex"];

    public static IReadOnlyList<string> OutputEncodings { get; } = ["base64", "hex"];

    static readonly string[] OfMessage = ["Timestamp", "Method", "Path", "PathWithQuery", "Query", "Host", "Body"];

    static readonly string[] OfHeaders = ["Timestamp", "Signature"];

    /// <summary>The key, under the role <see cref="SecretRole"/>, and whatever else the templates name.</summary>
    public required IReadOnlyList<SourceUse> Credentials { get; init; }

    /// <summary>What is signed, as a template.</summary>
    public required string Message { get; init; }

    /// <summary>What carries the signature.</summary>
    public required IReadOnlyList<SignedHeader> Headers { get; init; }

    public string Timestamp { get; init; } = "unix_seconds";

    public string Algorithm { get; init; } = "sha256";

    /// <summary>How the key is written at its source.</summary>
    public string KeyEncoding { get; init; } = "raw";

    public string OutputEncoding { get; init; } = "base64";

    /// <summary>Whether a body that came without a length may be signed.</summary>
    public bool AllowChunkedBody { get; init; }

    /// <summary>The largest body that is held to be signed, in bytes.</summary>
    public long LargestBody { get; init; } = UsualBody;

    public override IReadOnlyList<SourceUse> Uses => Credentials;

    /// <summary>The fields that <see cref="Message"/> may read.</summary>
    public IReadOnlyCollection<string> MessageFields() => [.. OfMessage, .. CredentialFields()];

    /// <summary>The fields that the values of <see cref="Headers"/> may read.</summary>
    public IReadOnlyCollection<string> HeaderFields() => [.. OfHeaders, .. CredentialFields()];

    private protected override IEnumerable<string> OwnProblems()
    {
        if (!Credentials.Any(source => source.Role == SecretRole))
            yield return "needs \"credentials\" with \"secret\": the key that signs";
        foreach (var word in (string?[])
                 [
                     TransformForm.WordProblem("format", Timestamp, Timestamps), TransformForm.WordProblem("algorithm", Algorithm, Algorithms),
                     TransformForm.WordProblem("key_encoding", KeyEncoding, KeyEncodings), TransformForm.WordProblem("output_encoding", OutputEncoding, OutputEncodings),
                 ])
        {
            if (word is not null)
                yield return word;
        }

        if (Message.Length == 0)
            yield return "needs \"signature\" with \"message\": what is signed";
        else if (TransformForm.TemplateProblem("message", Message, MessageFields()) is { } message)
            yield return message;
        if (Headers.Count == 0)
            yield return "needs \"headers\": a signature that no header carries is of no use";
        foreach (var header in Headers)
        {
            if ((TransformForm.HeaderProblem(header.Name) ?? TransformForm.TemplateProblem("value", header.Value, HeaderFields())) is { } problem)
                yield return problem;
        }
    }

    IEnumerable<string> CredentialFields() => Credentials.Select(source => CredentialField + source.Role);
}

/// <param name="Name">The header.</param>
/// <param name="Value">Its value, as a template.</param>
public sealed record SignedHeader(string Name, string Value);
