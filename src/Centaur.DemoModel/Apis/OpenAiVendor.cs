using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis;

/// <summary>OpenAI: a bearer token, and <c>{"error":{"message","type","param","code"}}</c>.</summary>
internal sealed class OpenAiVendor : IVendor
{
    const string Scheme = "Bearer ";

    public string? Key(IHeaderDictionary headers) =>
        headers.Authorization is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && value.Length > Scheme.Length
            ? value[Scheme.Length..].Trim()
            : null;

    public ApiFault Unauthorized(bool keyPresent) => keyPresent
        ? new ApiFault(StatusCodes.Status401Unauthorized, "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.", null, "invalid_api_key")
        : new ApiFault(StatusCodes.Status401Unauthorized, "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.");

    public JsonObject Error(ApiFault fault) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = fault.Message,
            ["type"] = fault.Status >= StatusCodes.Status500InternalServerError ? "server_error" : "invalid_request_error",
            ["param"] = fault.Parameter,
            ["code"] = fault.Code,
        },
    };
}
