using Centaur.Server.Platform.Http;

namespace Centaur.Server.Access;

/// <summary>Whoever made a request, once the key is known to be good.</summary>
/// <param name="Id">The key's id, or the sandbox's.</param>
/// <param name="Name">For people and for the audit.</param>
/// <param name="Scopes">What they may do.</param>
/// <param name="ThreadKey">The one thread that a sandbox may touch; null for keys.</param>
public sealed record Caller(string Id, string Name, IReadOnlyList<string> Scopes, string? ThreadKey)
{
    public bool IsSandbox => ThreadKey is not null;

    /// <summary>The key's id; null for a sandbox.</summary>
    public string? ApiKeyId => IsSandbox ? null : Id;

    /// <summary>Refuses a sandbox on a thread that is not its own, and everybody on a key that can be no thread's.</summary>
    public ApiFailure? RefusalFor(string threadKey)
    {
        if (ThreadKey is not null && ThreadKey != threadKey)
            return ApiFailure.Detail(StatusCodes.Status403Forbidden, "Sandbox token is scoped to a different thread");
        return Access.ThreadKey.Problem(threadKey) is { } problem ? ApiFailure.Detail(StatusCodes.Status400BadRequest, $"The thread key {problem}.") : null;
    }
}

public static class CallerExtensions
{
    /// <summary>The caller of an endpoint that is not open.</summary>
    public static Caller Caller(this HttpContext http) =>
        http.Features.Get<Caller>() ?? throw new InvalidOperationException("The route is open: it has no caller.");
}
