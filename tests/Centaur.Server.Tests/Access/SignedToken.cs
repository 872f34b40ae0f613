using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Centaur.Server.Tests.Access;

/// <summary>Sandbox tokens as an attacker would make them who has, or has not, the key.</summary>
internal static class SignedToken
{
    /// <summary><c>sbx1.(claims).(HMAC-SHA256)</c>, contract §1.1.</summary>
    public static string Of(JsonObject claims, Func<string, byte[]> sign)
    {
        var payload = Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        return $"sbx1.{payload}.{Encode(sign(payload))}";
    }

    public static Func<string, byte[]> With(string key) => payload => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(payload));

    /// <summary>Claims that are good for an hour.</summary>
    public static JsonObject Claims(string threadKey, string sandboxId, int generation = 1)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject { ["thread_key"] = threadKey, ["container_id"] = sandboxId, ["generation"] = generation, ["created_at"] = now, ["expires_at"] = now + 3600 };
    }

    public static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_');
}
