using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>
/// HashiCorp Vault's key-value engine, version 2 (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version): one read of the newest
/// version. Vault answers 403 to a bad token and to a policy that forbids alike; what the token may say of itself tells them apart.
/// </summary>
/// <param name="http">The server.</param>
/// <param name="token">The broker's own token.</param>
/// <param name="space">Vault's namespace; null for none.</param>
sealed class VaultSource(SourceHttp http, SourceToken token, string? space) : IValueSource
{
    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        if (VaultReference.Parse(reference) is not { } place)
            return SourceAnswer.BadReference("Vault");
        var answer = await http.Get($"v1/{Escape(place.Mount)}/data/{Escape(place.Path)}", Sign, cancellationToken);
        return answer.Status switch
        {
            0 => SourceAnswer.Unavailable($"Vault {answer.Problem}"),
            200 when answer.Has("data", JsonValueKind.Object) => Pick(answer.Body.GetProperty("data"), place),
            // Vault's own 404 says so in JSON: an empty list of errors, or the metadata of a version that was deleted.
            404 when answer.Has("errors", JsonValueKind.Array) && answer.Body.GetProperty("errors").GetArrayLength() > 0 =>
                SourceAnswer.Missing("Vault has no key-value engine of version 2 at that mount of that namespace"),
            404 when answer.Has("errors", JsonValueKind.Array) || answer.Has("data", JsonValueKind.Object) =>
                SourceAnswer.Missing("Vault has no such secret, or its newest version was deleted"),
            403 => await Refused(cancellationToken),
            503 => SourceAnswer.Unavailable("Vault is sealed or in maintenance (503)"),
            var status => SourceAnswer.Unavailable($"Vault answered {status}, which is no answer of its key-value engine; is the address right, and the mount of version 2?"),
        };
    }

    async Task<SourceAnswer> Refused(CancellationToken cancellationToken)
    {
        var self = await http.Get("v1/auth/token/lookup-self", Sign, cancellationToken);
        return self.Status switch
        {
            200 => SourceAnswer.Forbidden("the policy of the broker's own Vault token does not let it read this secret"),
            403 => SourceAnswer.BrokerRefused("Vault refused the broker's own token: it has expired, was revoked, or is not Vault's. The secret itself may be good; give the broker another token"),
            _ => SourceAnswer.Unavailable("Vault refused to answer, and does not say why"),
        };
    }

    void Sign(HttpRequestHeaders headers)
    {
        headers.TryAddWithoutValidation("X-Vault-Token", token.Current().ForHeader());
        headers.TryAddWithoutValidation("X-Vault-Request", "true");
        if (space is not null)
            headers.TryAddWithoutValidation("X-Vault-Namespace", space);
    }

    static SourceAnswer Pick(JsonElement version, VaultReference place)
    {
        if (!version.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
            return SourceAnswer.Missing("Vault has no value there");
        return place.Key is { } key ? JsonMember.Of(data, key) : SourceAnswer.Of(Encoding.UTF8.GetBytes(data.GetRawText()));
    }

    static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
