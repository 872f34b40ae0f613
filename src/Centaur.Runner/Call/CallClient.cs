using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Centaur.Runner.Call;

/// <summary>Asks the API as the contract's <c>call</c> does (§5): plain text wanted, two more attempts where nothing was answered, errors as JSON.</summary>
internal sealed class CallClient : IDisposable
{
    const int Attempts = 3;
    const int TransportExitCode = 7;
    const int TimeoutExitCode = 28;
    const int LongestBody = 1200;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly CallSurroundings surroundings;
    readonly HttpClient client;

    public CallClient(CallSurroundings surroundings)
    {
        this.surroundings = surroundings;
        client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = surroundings.Timeout };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (surroundings.Token is { Length: > 0 } token)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Add("X-Trace-Id", surroundings.TraceId);
        Add("X-Centaur-Thread-Key", surroundings.ThreadKey);
    }

    /// <param name="route">Path and query.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<CallAnswer> Get(string route, CancellationToken cancellationToken)
    {
        var url = $"{surroundings.ApiUrl.TrimEnd('/')}{route}";
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await client.GetAsync(new Uri(url), cancellationToken);
                var body = await response.Content.ReadAsStringAsync(cancellationToken);
                return response.IsSuccessStatusCode
                    ? new CallAnswer(true, body)
                    : Fail(new CallError { Error = "http_error", Status = $"{(int)response.StatusCode}", Url = url, Body = body[..Math.Min(body.Length, LongestBody)] });
            }
            catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return Fail(new CallError { Error = "transport_error", ExitCode = TimeoutExitCode, Url = url });
            }
            catch (HttpRequestException failure) when (attempt < Attempts && failure.InnerException is SocketException or IOException)
            {
                await Task.Delay(Pause, cancellationToken);
            }
            catch (HttpRequestException)
            {
                return Fail(new CallError { Error = "transport_error", ExitCode = TransportExitCode, Url = url });
            }
        }
    }

    static CallAnswer Fail(CallError error) => new(false, JsonSerializer.Serialize(error, CallJson.Default.CallError));

    void Add(string name, string? value)
    {
        if (value is { Length: > 0 })
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
    }

    public void Dispose() => client.Dispose();
}

/// <param name="Succeeded">False where <see cref="Text"/> is an error object.</param>
/// <param name="Text">What is printed.</param>
internal sealed record CallAnswer(bool Succeeded, string Text);

/// <summary>The contract's error object: <c>transport_error</c> with curl's exit code, or <c>http_error</c> with status and body.</summary>
internal sealed record CallError
{
    public required string Error { get; init; }

    public int? ExitCode { get; init; }

    public string? Status { get; init; }

    public required string Url { get; init; }

    public string? Body { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CallError))]
internal sealed partial class CallJson : JsonSerializerContext;
