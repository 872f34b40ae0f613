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
        if (http.Caller().RefusalFor(threadKey) is { } foreign)
            return foreign;
        if (ThreadKey.Problem(threadKey) is { } problem)
            return ApiFailure.Detail(StatusCodes.Status400BadRequest, $"The thread key {problem}.");
        http.TraceThread(threadKey);
        return null;
    }

    public static ApiFailure PayloadMismatch(string what, string id) =>
        ApiFailure.Control("IDEMPOTENCY_PAYLOAD_MISMATCH", $"{what} {id} was used before with another payload. Use a new id for a new request.");
}
