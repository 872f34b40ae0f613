using System.Text.Json;
using System.Text.Json.Serialization;

namespace Centaur.Server.Platform.Http;

/// <summary>
/// Everything that an API can refuse, in the two body shapes of the contract (§1.0). Handlers return it; nobody throws it; here alone it becomes HTTP.
/// </summary>
public sealed class ApiFailure : IResult
{
    readonly object body;

    ApiFailure(int status, object body) => (Status, this.body) = (status, body);

    public int Status { get; }

    /// <summary>Seconds after which a repeat may help.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>The reason alone, for people who do not read JSON.</summary>
    public string Text => body switch
    {
        DetailBody detail => detail.Detail,
        ControlBody control => control.Message,
        InvalidBody invalid => string.Join("; ", invalid.Detail.Select(e => e.Msg)),
        _ => ToString(),
    };

    /// <summary><c>{"detail": text}</c>.</summary>
    public static ApiFailure Detail(int status, string text) => new(status, new DetailBody(text));

    /// <summary>422 with a list of what is wrong where.</summary>
    public static ApiFailure Invalid(IReadOnlyList<FieldError> errors) => new(StatusCodes.Status422UnprocessableEntity, new InvalidBody(errors));

    /// <summary>422 for one field of the body.</summary>
    public static ApiFailure Invalid(string field, string message) => Invalid([new FieldError(["body", field], message, "value_error")]);

    /// <summary><c>{"code", "message"}</c>, the shape of the control plane.</summary>
    public static ApiFailure Control(string code, string message, int status = StatusCodes.Status409Conflict) => new(status, new ControlBody(code, message));

    /// <summary>429: there is as much of it as there may be at once.</summary>
    public static ApiFailure Busy(string text) => new(StatusCodes.Status429TooManyRequests, new DetailBody(text)) { RetryAfter = 1 };

    public static ApiFailure Unavailable(string text) => new(StatusCodes.Status503ServiceUnavailable, new DetailBody(text)) { RetryAfter = 2 };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        if (RetryAfter is { } seconds)
            httpContext.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await httpContext.Response.WriteAsJsonAsync(body, body.GetType(), ApiJson.Options, "application/json", httpContext.RequestAborted);
    }

    public override string ToString() => JsonSerializer.Serialize(body, body.GetType(), ApiJson.Options);
}

/// <param name="Detail">What is wrong, in plain words.</param>
public sealed record DetailBody(string Detail);

public sealed record ControlBody(string Code, string Message);

public sealed record InvalidBody(IReadOnlyList<FieldError> Detail);

/// <param name="Loc">The place: <c>body</c>, <c>query</c> or <c>path</c>, then the names that lead to it.</param>
/// <param name="Msg">What is wrong, in plain words.</param>
/// <param name="Type">A word for programs.</param>
public sealed record FieldError(IReadOnlyList<string> Loc, string Msg, string Type);

/// <summary>The JSON of the API: snake_case, nulls written, non-ASCII as it is.</summary>
public static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions());

    internal static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.TypeInfoResolver ??= new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver();
        return options;
    }
}
