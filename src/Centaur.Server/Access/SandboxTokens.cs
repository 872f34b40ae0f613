using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;

namespace Centaur.Server.Access;

/// <summary>
/// What a sandbox shows to the API: <c>sbx1.(claims).(HMAC-SHA256)</c> (contract §1.1), bound to its thread, itself and the generation of the thread's
/// assignment. A token dies with any of them: after a release it is worth nothing, although its signature is good. Its age is told by the database's clock, when it is
/// made and when it is judged: a machine whose own clock has jumped changes no token's life.
/// </summary>
public sealed class SandboxTokens(SigningKey key, AccessOptions options, PostgresDatabase database)
{
    public const string Prefix = "sbx1.";
    static readonly IReadOnlyList<string> Granted = ["agent", "tools:*"];

    /// <param name="threadKey">Never empty: a spare sandbox has no token.</param>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="generation">The generation of the thread's active assignment.</param>
    /// <param name="cancellationToken">Cancels the look at the clock.</param>
    public async Task<string> Mint(string threadKey, string sandboxId, int generation, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(threadKey);
        ArgumentException.ThrowIfNullOrEmpty(sandboxId);
        var now = await database.First($"select extract(epoch from clock_timestamp())::bigint", row => row.GetInt64(0), cancellationToken);
        var claims = new Claims(threadKey, sandboxId, generation, now, now + (long)options.SandboxTokenLife.TotalSeconds);
        var payload = Encode(JsonSerializer.SerializeToUtf8Bytes(claims, Json));
        return $"{Prefix}{payload}.{Encode(key.Sign(payload))}";
    }

    /// <summary>The sandbox that holds this token, or null where it is forged, expired, or no longer the thread's.</summary>
    internal async Task<Caller?> Verify(string token, CancellationToken cancellationToken)
    {
        if (Signed(token) is not { } claims || string.IsNullOrEmpty(claims.ThreadKey))
            return null;
        var live = await database.First(
            $"""
            select 1
            from sandboxes s join agent_runtime_assignments a on a.thread_key = s.thread_key and a.state = 'active'
            where s.sandbox_id = {claims.ContainerId} and s.thread_key = {claims.ThreadKey} and s.state in ('starting', 'claimed')
              and a.assignment_generation = {claims.Generation} and {claims.ExpiresAt} > extract(epoch from clock_timestamp())
            """,
            row => row.GetInt32(0),
            cancellationToken);
        return live == 1 ? new Caller(claims.ContainerId, "sandbox", Granted, claims.ThreadKey) : null;
    }

    Claims? Signed(string token)
    {
        var parts = token.Split('.');
        if (parts is not ["sbx1", var payload, var signature] || token.Length > 4096 || Decode(signature) is not { } given
            || !CryptographicOperations.FixedTimeEquals(given, key.Sign(payload)))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Claims>(Decode(payload), Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true };

    /// <summary>Url-safe base64 with its padding, as the original wrote it.</summary>
    static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_');

    static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text.Replace('-', '+').Replace('_', '/'), bytes, out var written) ? bytes[..written] : null;
    }

    sealed record Claims(
        [property: JsonRequired] string ThreadKey, [property: JsonRequired] string ContainerId, [property: JsonRequired] int Generation, long CreatedAt, [property: JsonRequired] long ExpiresAt);
}
