using Centaur.Server.Access.Keys;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;

namespace Centaur.Server.Access;

/// <summary>
/// Asks every request for a key and its scope, before the body is read. 1. An open route passes. 2. No key, a wrong key, a bad sandbox token: 401. 3. A scope that
/// is missing: 403. 4. A sandbox that was refused anything, here or by the route, raises an alert. Loopback is trusted no more than anybody (contract §1.0).
/// </summary>
internal sealed class AccessGate(RequestDelegate next, ApiKeys keys, SandboxTokens tokens, Alerts alerts, ILogger<AccessGate> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var metadata = http.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<OpenRoute>() is null && await Refusal(http, metadata) is { } refusal)
            await refusal.ExecuteAsync(http);
        else
            await next(http);
        // 4.
        if (http.Response.StatusCode == StatusCodes.Status403Forbidden && http.Features.Get<Caller>() is { IsSandbox: true } sandbox)
            alerts.Raise(Alerts.SandboxRefused, $"sandbox {sandbox.Id} of thread {sandbox.ThreadKey} was refused {http.Request.Method} {http.Request.Path}");
    }

    async Task<ApiFailure?> Refusal(HttpContext http, EndpointMetadataCollection? metadata)
    {
        if (Token(http.Request.Headers) is not { } token)
            return ApiFailure.Detail(StatusCodes.Status401Unauthorized, "Missing API key");
        var isSandbox = token.StartsWith(SandboxTokens.Prefix, StringComparison.Ordinal);
        var caller = isSandbox ? await tokens.Verify(token, http.RequestAborted) : await keys.Find(token, http.RequestAborted);
        if (caller is null)
            return ApiFailure.Detail(StatusCodes.Status401Unauthorized, isSandbox ? "Invalid or expired sandbox token" : "Invalid API key");

        http.Features.Set(caller);
        // Routing's own refusals (405, 415) are endpoints too, and no routes.
        var requirement = metadata?.GetMetadata<Requirement>() ?? new Requirement(http.GetEndpoint() is RouteEndpoint ? Scopes.Admin : null);
        if (requirement.Scope is not { } scope || Scopes.Permit(caller.Scopes, scope))
            return null;
        AccessLog.Refused(log, caller.Name, caller.Id, scope, http.Request.Method, http.Request.Path);
        return ApiFailure.Detail(
            StatusCodes.Status403Forbidden,
            scope == Scopes.Admin ? "Operator route requires admin scope" : $"API key scope does not permit '{scope}'");
    }

    static string? Token(IHeaderDictionary headers)
    {
        if (headers["X-Api-Key"].ToString().Trim() is { Length: > 0 } key)
            return key;
        const string Bearer = "Bearer ";
        var authorization = headers.Authorization.ToString();
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && authorization[Bearer.Length..].Trim() is { Length: > 0 } token ? token : null;
    }
}
