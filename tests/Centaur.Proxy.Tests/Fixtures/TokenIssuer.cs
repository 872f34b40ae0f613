using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>
/// A token endpoint over TLS that refuses what a real one refuses: another method or form, an unknown client, a wrong secret or password, a used refresh token,
/// an assertion whose signature, audience, issuer or time is wrong.
/// </summary>
sealed class TokenIssuer : IAsyncDisposable
{
    public const string Host = "other.vendor.test";
    public const string Address = "https://other.vendor.test/oauth/token";
    public const string ClientId = "client-7";
    public const string ClientSecret = "client+secret/with=signs&more";
    public const string Password = "correct horse battery staple";
    public const string ServiceAccount = "robot@project.iam.test";

    readonly RSA key = RSA.Create(2048);
    readonly TaskCompletionSource open = new();
    int minted;

    public Origin Origin { get; private set; } = null!;

    public string PrivateKeyPem => key.ExportPkcs8PrivateKeyPem();

    /// <summary>The one that is good now; every use makes the next.</summary>
    public string RefreshToken { get; private set; } = "refresh-token-0000";

    public int Lifetime { get; init; } = 3600;

    /// <summary>How many requests came, good or bad.</summary>
    public int Asked => Origin.Seen.Count;

    public int Minted => minted;

    public ConcurrentBag<string> Tokens { get; } = [];

    /// <summary>The claims of the last good assertion.</summary>
    public JsonElement Claims { get; private set; }

    public string? KeyId { get; private set; }

    /// <summary>True: answers wait until <see cref="Open"/>.</summary>
    public bool Holds { get; init; }

    public static async Task<TokenIssuer> Start(int lifetime = 3600, bool holds = false)
    {
        var issuer = new TokenIssuer { Lifetime = lifetime, Holds = holds };
        issuer.Origin = await Origin.Start(issuer.Answer);
        return issuer;
    }

    public void Open() => open.TrySetResult();

    /// <summary>A key file as Google writes it.</summary>
    public string KeyFile(string type = "service_account") =>
        $$"""{"type":"{{type}}","client_email":"{{ServiceAccount}}","private_key_id":"kid-1","private_key":{{JsonSerializer.Serialize(PrivateKeyPem)}},"token_uri":"{{Address}}"}""";

    public async ValueTask DisposeAsync()
    {
        await Origin.DisposeAsync();
        key.Dispose();
    }

    async Task Answer(HttpContext context)
    {
        if (Holds)
            await open.Task.WaitAsync(context.RequestAborted);
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var form = QueryHelpers.ParseQuery(await reader.ReadToEndAsync(context.RequestAborted)).ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        var problem = Problem(context.Request, form);
        context.Response.ContentType = "application/json";
        if (problem is not null)
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync(problem, context.RequestAborted);
            return;
        }

        var token = $"minted-token-{Interlocked.Increment(ref minted):D4}-{RandomNumberGenerator.GetHexString(8)}";
        Tokens.Add(token);
        var next = "";
        if (form["grant_type"] == "refresh_token")
        {
            RefreshToken = $"refresh-token-{minted:D4}";
            next = $",\"refresh_token\":\"{RefreshToken}\"";
        }

        await context.Response.WriteAsync($"{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":{Lifetime}{next}}}", context.RequestAborted);
    }

    string? Problem(HttpRequest request, Dictionary<string, string> form)
    {
        if (request.Method != "POST" || request.Path != "/oauth/token" || request.ContentType != "application/x-www-form-urlencoded")
            return Error("invalid_request", "not a token request");
        return form.GetValueOrDefault("grant_type") switch
        {
            "client_credentials" => IsClient(form) ? null : Error("invalid_client", "unknown client, or wrong secret " + form.GetValueOrDefault("client_secret")),
            "password" => IsClient(form) && form.GetValueOrDefault("username") == "ada" && form.GetValueOrDefault("password") == Password ? null : Error("invalid_grant", "wrong password"),
            "refresh_token" => IsClient(form) && form.GetValueOrDefault("refresh_token") == RefreshToken ? null : Error("invalid_grant", "refresh token is used or unknown"),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => Verify(form.GetValueOrDefault("assertion") ?? "") ? null : Error("invalid_grant", "the assertion is not valid"),
            _ => Error("unsupported_grant_type", "no such grant"),
        };
    }

    static bool IsClient(Dictionary<string, string> form) => form.GetValueOrDefault("client_id") == ClientId && form.GetValueOrDefault("client_secret") == ClientSecret;

    bool Verify(string assertion)
    {
        var parts = assertion.Split('.');
        if (parts.Length != 3 || !key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            return false;
        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0]));
        Claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1])).RootElement;
        KeyId = header.RootElement.TryGetProperty("kid", out var kid) ? kid.GetString() : null;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var (issued, expires) = (Claims.GetProperty("iat").GetInt64(), Claims.GetProperty("exp").GetInt64());
        return header.RootElement.GetProperty("alg").GetString() == "RS256"
            && Claims.GetProperty("iss").GetString() == ServiceAccount && Claims.GetProperty("aud").GetString() == Address
            && Math.Abs(issued - now) < 300 && expires > issued && expires - issued <= 3600;
    }

    static string Error(string code, string description) => JsonSerializer.Serialize(new Dictionary<string, string> { ["error"] = code, ["error_description"] = description });
}
