using System.Net.Http.Headers;
using System.Text.Json;
using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources.OnePassword;

/// <summary>
/// A 1Password Connect server (https://developer.1password.com/docs/connect/api-reference/): finds the vault and the item, by name where the reference has no id,
/// and takes the field. A name that two of them have is refused, because either could be meant.
/// </summary>
/// <param name="http">The server.</param>
/// <param name="token">The broker's own token.</param>
sealed class ConnectSource(SourceHttp http, SourceToken token) : IValueSource
{
    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        if (OnePasswordReference.Parse(reference) is not { } place)
            return SourceAnswer.BadReference("1Password");
        var vault = await Find("v1/vaults", "name", place.Vault, "vault", cancellationToken);
        if (vault.Failure is { } noVault)
            return noVault;
        var items = $"v1/vaults/{vault.Id}/items";
        var item = await Find(items, "title", place.Item, "item", cancellationToken);
        if (item.Failure is { } noItem)
            return noItem;
        var answer = await http.Get($"{items}/{item.Id}", Sign, cancellationToken);
        return answer.Status == 200 && answer.Has("id", JsonValueKind.String) ? ConnectItem.Pick(answer.Body, place) : Failure(answer, "item");
    }

    async Task<Found> Find(string list, string attribute, string name, string what, CancellationToken cancellationToken)
    {
        if (OnePasswordReference.IsId(name))
            return new Found(name, null);
        var answer = await http.Get($"{list}?filter={Uri.EscapeDataString($"{attribute} eq \"{name}\"")}", Sign, cancellationToken);
        if (answer.Status != 200 || answer.Body.ValueKind != JsonValueKind.Array)
            return new Found("", Failure(answer, what));
        var ids = answer.Body.EnumerateArray()
            .Where(each => Text(each, attribute) == name)
            .Select(each => Text(each, "id") ?? "")
            .Where(OnePasswordReference.IsId)
            .ToList();
        return ids switch
        {
            [var only] => new Found(only, null),
            [] => new Found("", SourceAnswer.Missing($"1Password shows the broker no such {what}")),
            _ => new Found("", SourceAnswer.Missing($"1Password has {ids.Count} {what}s of that name: name the right one by its id")),
        };
    }

    void Sign(HttpRequestHeaders headers) => headers.TryAddWithoutValidation("Authorization", "Bearer " + token.Current().ForHeader());

    /// <summary>Connect's refusals are JSON with their status; the 404 of anybody else says nothing about a secret.</summary>
    static SourceAnswer Failure(HttpAnswer answer, string what) => answer.Status switch
    {
        0 => SourceAnswer.Unavailable($"1Password Connect {answer.Problem}"),
        401 => SourceAnswer.BrokerRefused("1Password Connect refused the broker's own token. The secret itself may be good; give the broker another token"),
        403 => SourceAnswer.Forbidden($"the broker's own token does not let it read this {what} of 1Password"),
        404 when answer.Has("status", JsonValueKind.Number) && answer.Has("message", JsonValueKind.String) => SourceAnswer.Missing($"1Password has no such {what}"),
        var status => SourceAnswer.Unavailable($"1Password Connect answered {status}, which is no answer to this question; is the address right?"),
    };

    static string? Text(JsonElement element, string member) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(member, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;

    readonly record struct Found(string Id, SourceAnswer? Failure);
}
