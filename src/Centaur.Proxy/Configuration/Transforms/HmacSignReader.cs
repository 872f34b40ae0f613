using System.Security.Cryptography;
using Centaur.Proxy.Transforms;
using Centaur.Proxy.Transforms.Templates;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>hmac_sign</c>: requests that are signed here.</summary>
sealed class HmacSignReader(TransformReader transforms, long largestBody)
{
    static readonly Dictionary<string, HashAlgorithmName> Algorithms = new(StringComparer.Ordinal)
    {
        ["sha256"] = HashAlgorithmName.SHA256,
        ["sha512"] = HashAlgorithmName.SHA512,
        ["sha1"] = HashAlgorithmName.SHA1,
    };

    public void Read(YamlMap config)
    {
        var credentials = ReadCredentials(config);
        string[] secretFields = [.. credentials.Select(source => HmacSignTransform.CredentialField + source.Role)];
        var timestamp = "unix_seconds";
        if (config.Map("timestamp") is { } clock)
        {
            timestamp = clock.OneOf("format", SignatureModel.Timestamps, timestamp);
            clock.Done();
        }

        var signature = ReadSignature(config, timestamp, [.. HmacSignTransform.MessageFields, .. secretFields]);
        var headers = ReadHeaders(config, [.. HmacSignTransform.HeaderFields, .. secretFields]);
        var transform = new HmacSignTransform
        {
            Signature = signature,
            Credentials = credentials,
            Headers = headers,
            LargestBody = largestBody,
            AllowsChunked = config.Flag("allow_chunked_body"),
        };
        transforms.Transforms.Add(new BoundTransform(TransformRules.Credential(config), transform));
    }

    List<SourceUse> ReadCredentials(YamlMap config)
    {
        if (config.Map("credentials") is not { } credentials)
        {
            config.Error("needs \"credentials\" with \"secret\"");
            return [];
        }

        if (!credentials.Has(HmacSignTransform.SecretRole))
            credentials.Error("needs \"secret\": the key that signs");
        var sources = credentials.Keys.Select(name => transforms.UseSource(credentials, name)).ToList();
        credentials.Done();
        return sources;
    }

    static SignatureModel ReadSignature(YamlMap config, string timestamp, IReadOnlyCollection<string> fields)
    {
        if (config.Map("signature") is not { } signature)
        {
            config.Error("needs \"signature\"");
            return new SignatureModel(timestamp, HashAlgorithmName.SHA256, "raw", "hex", TransformRules.Template(config, "message", "", fields));
        }

        var algorithm = signature.OneOf("algorithm", [.. Algorithms.Keys], "sha256");
        var model = new SignatureModel(
            timestamp,
            Algorithms.GetValueOrDefault(algorithm, HashAlgorithmName.SHA256),
            signature.OneOf("key_encoding", SignatureModel.KeyEncodings, "raw"),
            signature.OneOf("output_encoding", SignatureModel.OutputEncodings, "base64"),
            TransformRules.Template(signature, "message", signature.Required("message"), fields));
        signature.Done();
        return model;
    }

    static List<KeyValuePair<string, TextTemplate>> ReadHeaders(YamlMap config, IReadOnlyCollection<string> fields)
    {
        var headers = new List<KeyValuePair<string, TextTemplate>>();
        foreach (var header in config.Maps("headers"))
        {
            var name = TransformRules.Header(header, header.Required("name"));
            headers.Add(KeyValuePair.Create(name, TransformRules.Template(header, "value", header.Required("value"), fields)));
            header.Done();
        }

        if (headers.Count == 0)
            config.Error("needs \"headers\": a signature that no header carries is of no use");
        return headers;
    }
}
