using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Secrets;

/// <summary>Every statement about secrets and their placeholders.</summary>
public sealed class SecretStore(PostgresDatabase database)
{
    static readonly CrashPoint Putting = new("secret.put");
    static readonly CrashPoint Placing = new("secret.placeholders");
    static readonly CrashPoint Removing = new("secret.remove");
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    internal async Task<SecretEntry> Put(SecretModel secret, CancellationToken cancellationToken) =>
        (await database.Write(
            Putting,
            $"""
            insert into secrets (name, source, bindings)
            values ({secret.Name}, {new Jsonb(JsonSerializer.Serialize(secret.Source, Json))}, {new Jsonb(JsonSerializer.Serialize(secret.Bindings, Json))})
            on conflict (name) do update set source = excluded.source, bindings = excluded.bindings, updated_at = now()
            returning name, source::text, bindings::text, created_at, updated_at
            """,
            row => Read(row),
            cancellationToken))!;

    internal Task<IReadOnlyList<SecretEntry>> All(CancellationToken cancellationToken) =>
        database.Query($"select name, source::text, bindings::text, created_at, updated_at from secrets order by name", Read, cancellationToken);

    /// <summary>The secrets of these names that exist.</summary>
    internal async Task<IReadOnlyList<SecretModel>> Find(IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        (await database.Query(
            $"select name, source::text, bindings::text, created_at, updated_at from secrets where name = any ({names.ToArray()}) order by name", Read, cancellationToken))
        .Select(e => new SecretModel(e.Name, e.Source, e.Bindings))
        .ToList();

    internal async Task<bool> Delete(string name, CancellationToken cancellationToken) =>
        await database.Write(Removing, $"delete from secrets where name = {name}", cancellationToken) == 1;

    /// <summary>
    /// What stands for each secret in one sandbox: random per sandbox and secret, made at the first call and the same ever after.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> Placeholders(string sandboxId, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var wanted = names.Distinct().Order(StringComparer.Ordinal).ToArray();
        var fresh = wanted.Select(NewPlaceholder).ToArray();
        await database.Write(
            Placing,
            $"""
            insert into sandbox_placeholders (sandbox_id, secret_name, placeholder)
            select {sandboxId}, name, placeholder from unnest({wanted}, {fresh}) as fresh (name, placeholder)
            on conflict (sandbox_id, secret_name) do nothing
            """,
            cancellationToken);
        var rows = await database.Query(
            $"select secret_name, placeholder from sandbox_placeholders where sandbox_id = {sandboxId} and secret_name = any ({wanted})",
            row => (Name: row.GetString(0), Placeholder: row.GetString(1)),
            cancellationToken);
        return rows.ToDictionary(r => r.Name, r => r.Placeholder, StringComparer.Ordinal);
    }

    static string NewPlaceholder(string name) => $"cph_{name.ToLowerInvariant()}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";

    static SecretEntry Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            JsonSerializer.Deserialize<SecretSource>(row.GetString(1), Json)!,
            JsonSerializer.Deserialize<IReadOnlyList<SecretBinding>>(row.GetString(2), Json)!,
            row.GetFieldValue<DateTimeOffset>(3),
            row.GetFieldValue<DateTimeOffset>(4));
}

/// <summary>A secret as operators see it: everything but the value.</summary>
public sealed record SecretEntry(string Name, SecretSource Source, IReadOnlyList<SecretBinding> Bindings, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
