using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>hmac_sign</c>: requests that are signed here.</summary>
sealed class HmacSignReader(TransformReader transforms, long largestBody)
{
    public void Read(YamlMap config)
    {
        var (credentials, timestamp, signature) = (config.Map("credentials"), config.Map("timestamp"), config.Map("signature"));
        transforms.Add(config, new HmacSignConfig
        {
            Name = config.Where,
            Credentials = credentials is null ? [] : [.. credentials.Keys.Select(name => transforms.UseSource(credentials, name))],
            Timestamp = timestamp?.Text("format") ?? "unix_seconds",
            Algorithm = signature?.Text("algorithm") ?? "sha256",
            KeyEncoding = signature?.Text("key_encoding") ?? "raw",
            OutputEncoding = signature?.Text("output_encoding") ?? "base64",
            Message = signature?.Text("message") ?? "",
            Headers = [.. config.Maps("headers").Select(ReadHeader)],
            AllowChunkedBody = config.Flag("allow_chunked_body"),
            LargestBody = largestBody,
            Rules = TransformRules.Read(config),
        });
        credentials?.Done();
        timestamp?.Done();
        signature?.Done();
    }

    static SignedHeader ReadHeader(YamlMap header)
    {
        var read = new SignedHeader(header.Required("name"), header.Required("value"));
        header.Done();
        return read;
    }
}
