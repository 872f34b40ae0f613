using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Templates;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Front;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// Signs a request as it will leave.
/// <para>1. The credentials are fetched, and the key is read.</para>
/// <para>2. Where the message names the body, it is held whole, up to a cap; beyond that the request is refused, and never cut.</para>
/// <para>3. The message is built and signed.</para>
/// <para>4. The headers are set; what the client sent there is dropped.</para>
/// </summary>
sealed class HmacSignTransform : IRequestTransform
{
    public required SignatureModel Signature { get; init; }

    /// <summary>The key, under the role <see cref="HmacSignConfig.SecretRole"/>, and whatever else the templates name.</summary>
    public required IReadOnlyList<SourceUse> Credentials { get; init; }

    public required IReadOnlyList<KeyValuePair<string, TextTemplate>> Headers { get; init; }

    /// <summary>The largest body that is held to be signed, in bytes.</summary>
    public required long LargestBody { get; init; }

    public required bool AllowsChunked { get; init; }

    public TransformStage Stage => TransformStage.Sign;

    public IReadOnlyList<string> Secrets => [.. Credentials.Select(source => source.Name)];

    public async ValueTask<Refusal?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        // 1.
        var (values, unavailable) = await SourceValues.Fetch(runtime.Vault, request.Policy, Credentials, cancellationToken);
        if (values is null)
            return unavailable;
        if (Signature.Key(values[HmacSignConfig.SecretRole]) is not { } key)
            return TransformRefusals.KeyUnusable(values[HmacSignConfig.SecretRole].Name, Signature.KeyEncoding);

        // 2.
        if (request.Chunked && !AllowsChunked)
            return TransformRefusals.Chunked();
        var body = "";
        if (Signature.Message.Fields.Contains("Body") && request.Message.Content is { } content)
        {
            if (await Hold(content, cancellationToken) is not { } held)
                return TransformRefusals.BodyTooLarge(LargestBody);
            body = Encoding.Latin1.GetString(held);
        }

        // 3.
        var timestamp = Signature.Format(runtime.Time.GetUtcNow());
        var message = Signature.Message.Render(field => field switch
        {
            "Timestamp" => timestamp,
            "Body" => body,
            _ => Credential(field, values) ?? Address(field, request.Message),
        });
        var signature = Signature.Sign(key, Encoding.Latin1.GetBytes(message));

        // 4.
        foreach (var (name, template) in Headers)
        {
            var text = template.Render(field => field switch
            {
                "Timestamp" => timestamp,
                "Signature" => signature,
                _ => Credential(field, values)!,
            });
            if (!HeaderText.Fits(text))
                return Refusals.Unusable(values[HmacSignConfig.SecretRole].Name);
            request.SetHeader(name, text);
        }

        return null;
    }

    static string? Credential(string field, Dictionary<string, Secret> values) =>
        field.StartsWith(HmacSignConfig.CredentialField, StringComparison.Ordinal) ? values[field[HmacSignConfig.CredentialField.Length..]].ForHeader() : null;

    /// <summary>The address as it goes out. The path is decoded, as in iron-proxy; the other forms are as sent.</summary>
    static string Address(string field, HttpRequestMessage message)
    {
        var address = message.RequestUri!;
        return field switch
        {
            "Method" => message.Method.Method,
            "Path" => PercentEncoding.DecodeOnce(address.AbsolutePath),
            "PathWithQuery" => address.PathAndQuery,
            "Query" => Bare(address.Query),
            _ => message.Headers.Host ?? address.Authority,
        };
    }

    static string Bare(string query) => query.StartsWith('?') ? query[1..] : query;

    async Task<byte[]?> Hold(HttpContent content, CancellationToken cancellationToken)
    {
        // Asked once: the content computes its length anew each time, and knows none where it is swapped.
        if (content.Headers.ContentLength > LargestBody)
            return null;
        try
        {
            await content.LoadIntoBufferAsync(LargestBody, cancellationToken);
            return await content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (HttpRequestException fault) when (fault.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return null;
        }
    }
}
