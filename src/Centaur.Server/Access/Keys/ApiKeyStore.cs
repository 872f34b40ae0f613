using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Access.Keys;

/// <summary>Every statement about API keys.</summary>
internal sealed class ApiKeyStore(PostgresDatabase database)
{
    static readonly CrashPoint Upserting = new("api_key.service");
    static readonly CrashPoint Revoking = new("api_key.revoke");
    public async Task<IReadOnlyDictionary<string, ApiKey>> Active(CancellationToken cancellationToken)
    {
        var keys = await database.Query(
            $"select id, name, key_prefix, scopes, created_by, created_at, revoked_at, key_hash from api_keys where revoked_at is null",
            row => (Hash: row.GetString(7), Key: Read(row)),
            cancellationToken);
        return keys.ToDictionary(k => k.Hash, k => k.Key, StringComparer.Ordinal);
    }

    public Task<IReadOnlyList<ApiKey>> All(CancellationToken cancellationToken) =>
        database.Query($"select id, name, key_prefix, scopes, created_by, created_at, revoked_at from api_keys order by created_at desc, id", Read, cancellationToken);

    public Task<ApiKey?> ByHash(SqlSession session, string hash, CancellationToken cancellationToken) =>
        session.First(
            $"select id, name, key_prefix, scopes, created_by, created_at, revoked_at from api_keys where key_hash = {hash}", row => Read(row), cancellationToken);

    public async Task<ApiKey> Insert(SqlSession session, ApiKeyToken token, string name, IReadOnlyList<string> scopes, string createdBy, CancellationToken cancellationToken) =>
        (await session.First(
            $"""
            insert into api_keys (name, key_prefix, key_hash, scopes, created_by)
            values ({name}, {token.KeyPrefix}, {token.Hash}, {scopes.ToArray()}, {createdBy})
            returning id, name, key_prefix, scopes, created_by, created_at, revoked_at
            """,
            row => Read(row),
            cancellationToken))!;

    /// <summary>Makes a fixed key what it is configured to be, revoked or not before.</summary>
    public Task Upsert(ApiKeyToken token, string name, IReadOnlyList<string> scopes, string createdBy, CancellationToken cancellationToken) =>
        database.Write(
            Upserting,
            $"""
            insert into api_keys (name, key_prefix, key_hash, scopes, created_by)
            values ({name}, {token.KeyPrefix}, {token.Hash}, {scopes.ToArray()}, {createdBy})
            on conflict (key_hash) do update set name = excluded.name, scopes = excluded.scopes, revoked_at = null
            """,
            cancellationToken);

    public async Task<bool> Revoke(Guid id, CancellationToken cancellationToken) =>
        await database.Write(Revoking, $"update api_keys set revoked_at = now() where id = {id} and revoked_at is null", cancellationToken) == 1;

    public Task RevokeNamed(SqlSession session, string name, CancellationToken cancellationToken) =>
        session.Execute($"update api_keys set revoked_at = now() where name = {name} and revoked_at is null", cancellationToken);

    static ApiKey Read(NpgsqlDataReader row) =>
        new(
            row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<string[]>(3), row.GetString(4), row.GetFieldValue<DateTimeOffset>(5),
            row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6));
}
