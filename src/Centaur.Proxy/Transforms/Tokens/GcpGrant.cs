using System.Text;
using System.Text.Json;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>
/// A Google service account: its key file is the one source, and says who asks, where, and with which key
/// (https://developers.google.com/identity/protocols/oauth2/service-account).
/// </summary>
/// <param name="Name">The place of the entry in the file.</param>
/// <param name="KeyFile">The source of the key file's JSON.</param>
/// <param name="Scopes">What the token may do.</param>
/// <param name="Subject">The user that the account acts for (domain-wide delegation), or empty.</param>
sealed record GcpGrant(string Name, SourceUse KeyFile, IReadOnlyList<string> Scopes, string Subject) : ITokenGrant
{
    public IReadOnlyList<SourceUse> Sources { get; } = [KeyFile];

    public string Identity => string.Join('\n', "gcp", KeyFile.Name, string.Join(' ', Scopes), Subject);

    public MintPlan Prepare(IReadOnlyDictionary<string, Secret> values, Secret? rotated, DateTimeOffset now)
    {
        try
        {
            using var json = JsonDocument.Parse(values[KeyFile.Role].Bytes.ToArray());
            return Prepare(json.RootElement, now);
        }
        catch (JsonException)
        {
            // Its message would quote the file.
            return MintPlan.Failed("its key file is not JSON");
        }
    }

    MintPlan Prepare(JsonElement file, DateTimeOffset now)
    {
        if (Text(file, "type") != "service_account")
            return MintPlan.Failed("its key file is not that of a service account (\"type\" must be \"service_account\")");
        var missing = Array.Find(["client_email", "private_key", "token_uri"], name => Text(file, name).Length == 0);
        if (missing is not null)
            return MintPlan.Failed($"its key file has no \"{missing}\"");
        var address = Text(file, "token_uri");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var endpoint) || endpoint.Scheme != Uri.UriSchemeHttps)
            return MintPlan.Failed("the \"token_uri\" of its key file is not an https address");
        var assertion = new JwtAssertion(Text(file, "client_email"), Subject, address, string.Join(' ', Scopes), Text(file, "private_key_id"));
        return assertion.TrySign(Text(file, "private_key"), now, out var signed)
            ? new MintPlan(new MintRequest(endpoint, new GrantForm(JwtAssertion.GrantType).Add("assertion", signed).ToBytes(), []), null)
            : MintPlan.Failed("the \"private_key\" of its key file is not an RSA private key in PEM");
    }

    static string Text(JsonElement file, string name) =>
        file.ValueKind == JsonValueKind.Object && file.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
