using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis;

/// <summary>Anthropic: <c>x-api-key</c>, and <c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
internal sealed class AnthropicVendor : IVendor
{
    public string? Key(IHeaderDictionary headers) => headers["x-api-key"] is [{ Length: > 0 } value] ? value : null;

    public ApiFault Unauthorized(bool keyPresent) =>
        new(StatusCodes.Status401Unauthorized, keyPresent ? "invalid x-api-key" : "x-api-key header is required");

    public JsonObject Error(ApiFault fault) => new()
    {
        ["type"] = "error",
        ["error"] = new JsonObject
        {
            ["type"] = fault.Status switch
            {
                StatusCodes.Status401Unauthorized => "authentication_error",
                StatusCodes.Status404NotFound => "not_found_error",
                StatusCodes.Status413PayloadTooLarge => "request_too_large",
                >= StatusCodes.Status500InternalServerError => "api_error",
                _ => "invalid_request_error",
            },
            ["message"] = fault.Parameter is { } parameter ? $"{parameter}: {fault.Message}" : fault.Message,
        },
        ["request_id"] = Identifier.New("req_"),
    };
}
