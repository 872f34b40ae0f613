using System.Security.Cryptography;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;

namespace Centaur.Server.Threads;

/// <summary>What every request about a thread begins with: a good key, and a caller who may use it.</summary>
public static class ThreadRequest
{
    const int IdBytes = 256;

    /// <summary>Reads <c>thread_key</c>; what is wrong with it is among the body's errors.</summary>
    public static string ThreadKeyOf(this JsonBody body)
    {
        var key = body.Text("thread_key", maxBytes: 64 * 1024);
        if (body.OptionalText("thread_key", maxBytes: 64 * 1024) is not null && ThreadKey.Problem(key) is { } problem)
            body.Wrong("thread_key", problem);
        return key;
    }

    /// <summary>Reads a client's idempotency id, or makes one.</summary>
    public static string IdOf(this JsonBody body, string name, string prefix)
    {
        var id = body.OptionalText(name, IdBytes);
        if (id is not null && (id.Length == 0 || id.Any(char.IsControl)))
            body.Wrong(name, "must not be empty or hold control characters");
        return id ?? NewId(prefix);
    }

    public static string NewId(string prefix, int bytes = 8) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));

    /// <summary>Refuses a caller who may not use the thread; else the request is traced as the thread's.</summary>
    public static ApiFailure? Enter(this HttpContext http, string threadKey)
    {
        if (http.Caller().RefusalFor(threadKey) is { } refused)
            return refused;
        http.TraceThread(threadKey);
        return null;
    }

    /// <summary>The same for a key that stands in the query, where it may be missing.</summary>
    public static ApiFailure? EnterQuery(this HttpContext http, string name, string? threadKey) =>
        string.IsNullOrEmpty(threadKey) ? ApiFailure.Invalid([new FieldError(["query", name], $"{name} is required", "missing")]) : http.Enter(threadKey);

    public static ApiFailure PayloadMismatch(string what, string id) =>
        ApiFailure.Control("IDEMPOTENCY_PAYLOAD_MISMATCH", $"{what} {id} was used before with another payload. Use a new id for a new request.");
}
