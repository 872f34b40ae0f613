using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>
/// A key-value engine of version 2, mounted at <c>secret</c> and at <c>team/kv</c>, as strict as Vault: it wants a token and the right namespace, tells a bad token
/// and a policy that forbids by the same 403, and a deleted version by a 404 with its metadata.
/// </summary>
sealed class FakeVault : IAsyncDisposable
{
    static readonly string[] Mounts = ["secret", "team/kv"];

    readonly string space;
    SourceServer server = null!;

    FakeVault(string space) => this.space = space;

    public ConcurrentDictionary<string, string> Tokens { get; } = new() { ["hvs.broker-token-1"] = "broker" };

    /// <summary>JSON objects by <c>mount/path</c>; null is a version that was deleted.</summary>
    public ConcurrentDictionary<string, string?> Secrets { get; } = new();

    public ConcurrentDictionary<string, bool> Forbidden { get; } = new();

    public bool Sealed { get; set; }

    public SourceServer Server => server;

    public int Reads => server.Seen.Count(request => request.Target.Contains("/data/", StringComparison.Ordinal));

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["VAULT_ADDR"] = server.Address, ["VAULT_CACERT"] = server.AuthorityFile, ["VAULT_TOKEN"] = "hvs.broker-token-1", ["VAULT_NAMESPACE"] = space,
    };

    public static async Task<FakeVault> Start(string space = "")
    {
        var vault = new FakeVault(space);
        vault.server = await SourceServer.Start(vault.Answer);
        return vault;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    Task Answer(HttpContext context)
    {
        var request = context.Request;
        var token = request.Headers["X-Vault-Token"].ToString();
        if (Sealed)
            return SourceServer.Json(context, 503, """{"errors":["Vault is sealed"]}""");
        if (request.Method != "GET")
            return SourceServer.Json(context, 405, """{"errors":["unsupported operation"]}""");
        if (request.Headers["X-Vault-Namespace"].ToString() != space)
            return NoRoute(context);
        if (token.Length == 0)
            return SourceServer.Json(context, 400, """{"errors":["missing client token"]}""");
        if (!Tokens.ContainsKey(token))
            return SourceServer.Json(context, 403, """{"errors":["permission denied"]}""");
        var path = request.Path.Value!;
        if (path == "/v1/auth/token/lookup-self")
            return SourceServer.Json(context, 200, """{"data":{"display_name":"token"}}""");
        foreach (var mount in Mounts)
        {
            var data = $"/v1/{mount}/data/";
            if (path.StartsWith(data, StringComparison.Ordinal))
                return Read(context, $"{mount}/{path[data.Length..]}");
        }

        return NoRoute(context);
    }

    Task Read(HttpContext context, string place)
    {
        if (Forbidden.ContainsKey(place))
            return SourceServer.Json(context, 403, """{"errors":["1 error occurred:\n\t* permission denied\n\n"]}""");
        if (!Secrets.TryGetValue(place, out var data))
            return SourceServer.Json(context, 404, """{"errors":[]}""");
        return data is null
            ? SourceServer.Json(context, 404, """{"data":{"data":null,"metadata":{"deletion_time":"2026-11-21T10:00:00Z","destroyed":false,"version":2}}}""")
            : SourceServer.Json(context, 200, $$$$"""{"request_id":"r","lease_id":"","data":{"data":{{{{JsonDocument.Parse(data).RootElement.GetRawText()}}}},"metadata":{"version":1,"destroyed":false}}}""");
    }

    static Task NoRoute(HttpContext context) => SourceServer.Json(context, 404, """{"errors":["no handler for route. route entry not found."]}""");
}
