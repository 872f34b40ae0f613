using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.Protocol.Broker;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>A 1Password Connect server with the vault Production, as strict as the real one: a bearer token, filters in its own form, ids where ids belong.</summary>
sealed partial class FakeConnect : IAsyncDisposable
{
    public const string Token = "eyJ.connect-token-1";
    public const string VaultId = "ftz4pm2xxwmwrsd7rjqn7grzfz";
    public const string OtherVaultId = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

    SourceServer server = null!;

    /// <summary>The whole items by their ids.</summary>
    public ConcurrentDictionary<string, string> Items { get; } = new();

    public SourceServer Server => server;

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["OP_CONNECT_HOST"] = server.Address, ["OP_CONNECT_TOKEN"] = Token };

    public static async Task<FakeConnect> Start()
    {
        var connect = new FakeConnect();
        connect.server = await SourceServer.Start(connect.Answer);
        return connect;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    Task Answer(HttpContext context)
    {
        if (context.Request.Headers.Authorization != "Bearer " + Token)
            return Fail(context, 401, "Invalid token signature");
        var parts = context.Request.Path.Value!.Trim('/').Split('/');
        return parts switch
        {
            ["v1", "vaults"] => List(context, "name", [(VaultId, "Production"), (OtherVaultId, "Twin"), ("bbbbbbbbbbbbbbbbbbbbbbbbbb", "Twin")]),
            ["v1", "vaults", var vault, ..] when !OnePasswordReference.IsId(vault) => Fail(context, 400, "Invalid Vault UUID"),
            ["v1", "vaults", var vault, ..] when vault != VaultId => Fail(context, 403, "Vault not in scope"),
            ["v1", "vaults", _, "items"] => List(context, "title", Items.Select(item => (item.Key, JsonDocument.Parse(item.Value).RootElement.GetProperty("title").GetString()!))),
            ["v1", "vaults", _, "items", var item] when !OnePasswordReference.IsId(item) => Fail(context, 400, "Invalid Item UUID"),
            ["v1", "vaults", _, "items", var item] => Items.TryGetValue(item, out var found) ? SourceServer.Json(context, 200, found) : Fail(context, 404, $"item {item} not found"),
            _ => Fail(context, 404, "not found"),
        };
    }

    static Task List(HttpContext context, string attribute, IEnumerable<(string Id, string Name)> all)
    {
        var filter = Filter().Match(context.Request.Query["filter"].ToString());
        if (!filter.Success || filter.Groups["attribute"].Value != attribute)
            return Fail(context, 400, "Invalid filter");
        var found = all.Where(each => each.Name == filter.Groups["name"].Value).Select(each => $$"""{"id":"{{each.Id}}","{{attribute}}":"{{each.Name}}"}""");
        return SourceServer.Json(context, 200, $"[{string.Join(',', found)}]");
    }

    static Task Fail(HttpContext context, int status, string message) => SourceServer.Json(context, status, $$"""{"status":{{status}},"message":"{{message}}"}""");

    [GeneratedRegex("^(?<attribute>[a-z]+) eq \"(?<name>[^\"]*)\"$", RegexOptions.NonBacktracking)]
    private static partial Regex Filter();
}
