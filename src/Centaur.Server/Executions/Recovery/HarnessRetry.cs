using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Server.Executions.Recovery;

/// <summary>One more try that the control plane gives an execution by itself, as its metadata tells it under <c>control_plane_retry</c> (wire contract §2.1).</summary>
/// <param name="Reason">Why, in one word.</param>
/// <param name="Attempt">The how-manieth such try begins now.</param>
/// <param name="LastError">What the harness said.</param>
internal sealed record HarnessRetry(string Reason, int Attempt, string LastError)
{
    public const string Member = "control_plane_retry";
    public const string HarnessAuth = "harness_auth";
    const int MaxAttempts = 1;
    const int LongestError = 500;

    /// <summary>The try that a refused credential deserves; null where it was made already.</summary>
    public static HarnessRetry? AfterAuthRefused(ClaimedExecution execution, string error)
    {
        var made = execution.Metadata.ValueKind == JsonValueKind.Object && execution.Metadata.TryGetProperty(Member, out var retry) && retry.ValueKind == JsonValueKind.Object
            && retry.TryGetProperty("attempt", out var attempt) && attempt.TryGetInt32(out var number) ? number : 0;
        return made >= MaxAttempts ? null : new HarnessRetry(HarnessAuth, made + 1, error.Length > LongestError ? error[..LongestError] : error);
    }

    public JsonObject ToJson() => new()
    {
        ["reason"] = Reason, ["attempt"] = Attempt, ["max_attempts"] = MaxAttempts, ["fresh_runtime"] = true, ["last_error"] = LastError,
    };
}
