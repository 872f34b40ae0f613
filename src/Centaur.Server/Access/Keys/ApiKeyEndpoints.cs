using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Access.Keys;

/// <summary>Creating, listing and revoking keys (contract §1.9, §1.13), for operators.</summary>
internal static class ApiKeyEndpoints
{
    static readonly CrashPoint Creating = new("api_key.create");
    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/admin/api-keys").WithTags("api keys").Needs(Scopes.Admin);
        keys.MapPost("", Create).WithSummary("Create an API key; its text is shown once")
            .Accepts<CreateApiKey>("application/json").Produces<CreatedApiKey>().Produces<DetailBody>(400).Produces<InvalidBody>(422);
        keys.MapGet("", List).WithSummary("List API keys").Produces<ApiKeyList>();
        keys.MapDelete("/{id}", Revoke).WithSummary("Revoke an API key").Produces<RevokedApiKey>().Produces<DetailBody>(404);
    }

    static async Task<IResult> Create(HttpContext http, PostgresDatabase database, ApiKeyStore store, ApiKeys keys, ILogger<ApiKeys> log, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var name = body.Text("name", 200);
        var scopes = body.OptionalArray("scopes") is null ? ["tools:*"] : body.Texts("scopes");
        var createdBy = body.OptionalText("created_by", 200) ?? "";
        if (body.Invalid is null && string.IsNullOrWhiteSpace(name))
            body.Wrong("name", "must not be empty");
        if (body.Invalid is { } invalid)
            return invalid;
        if (scopes.Count == 0 || scopes.FirstOrDefault(s => !Scopes.IsValid(s)) is not null)
        {
            var wrong = scopes.FirstOrDefault(s => !Scopes.IsValid(s)) ?? "(none)";
            return ApiFailure.Detail(400, $"Invalid scope: {wrong}. Must be one of: {Scopes.Allowed}");
        }

        var token = ApiKeyToken.Create();
        var key = await database.InTransaction(
            Creating,
            async session =>
            {
                session.AfterCommit(keys.Changed);
                return await store.Insert(session, token, name, scopes, createdBy, cancellationToken);
            },
            cancellationToken);
        AccessLog.Created(log, key.Id, key.Name, http.Caller().Name, string.Join(' ', scopes));
        return TypedResults.Json(
            new CreatedApiKey(token.Text, key.Id, key.Name, key.KeyPrefix, key.Scopes, "Save this key — it will not be shown again."), ApiJson.Options);
    }

    static async Task<IResult> List(ApiKeyStore store, CancellationToken cancellationToken) =>
        TypedResults.Json(new ApiKeyList(await store.All(cancellationToken)), ApiJson.Options);

    static async Task<IResult> Revoke(string id, HttpContext http, ApiKeyStore store, ApiKeys keys, ILogger<ApiKeys> log, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(id, out var key) || !await store.Revoke(key, cancellationToken))
            return ApiFailure.Detail(StatusCodes.Status404NotFound, "API key not found or already revoked");
        keys.Changed();
        AccessLog.Revoked(log, key, http.Caller().Name);
        return TypedResults.Json(new RevokedApiKey("revoked", key), ApiJson.Options);
    }
}

public sealed record CreateApiKey(string Name, IReadOnlyList<string>? Scopes, string? CreatedBy);

public sealed record CreatedApiKey(string Key, Guid Id, string Name, string KeyPrefix, IReadOnlyList<string> Scopes, string Message)
{
    /// <summary>The key never prints.</summary>
    public override string ToString() => $"CreatedApiKey {{ Id = {Id}, Name = {Name} }}";
}

public sealed record ApiKeyList(IReadOnlyList<ApiKey> Keys);

public sealed record RevokedApiKey(string Status, Guid Id);
