using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Centaur.Cli.Stack;

namespace Centaur.Cli.Api;

/// <summary>
/// The HTTP API (contract §1) as an operator uses it. Requests that carry their own ids are safe to repeat, so an unreachable or busy server is asked
/// again for a while; an answer of the server, also a refusal, is final.
/// </summary>
internal sealed class ApiClient : IDisposable
{
    static readonly TimeSpan RetryLimit = TimeSpan.FromSeconds(30);

    readonly HttpClient http;
    readonly Func<Uri?> locate;
    Uri address;

    /// <param name="address">Where the server is now.</param>
    /// <param name="locate">Asked before every request: a server that was started anew may listen elsewhere. Null while there is none.</param>
    /// <param name="key">The API key.</param>
    ApiClient(Uri address, Func<Uri?> locate, string key)
    {
        (this.address, this.locate) = (address, locate);
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5), AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Add("X-Api-Key", key);
    }

    /// <summary>The server named by <c>CENTAUR_API_URL</c>, else the one that runs on this machine.</summary>
    public static ApiClient Of(CliContext context)
    {
        if (context.Variable("CENTAUR_API_URL") is { } remote)
        {
            var key = context.Variable("CENTAUR_API_KEY")
                ?? throw new CliError(ExitCode.Prerequisite, "CENTAUR_API_URL is set and CENTAUR_API_KEY is not.", remedy: "Set CENTAUR_API_KEY to a key of that server.");
            return Uri.TryCreate(remote, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? new ApiClient(address, () => address, key)
                : throw new CliError(ExitCode.Prerequisite, "CENTAUR_API_URL is not an address.", remedy: "For example CENTAUR_API_URL=http://127.0.0.1:8000");
        }

        var server = new ServerProcess(context);
        var state = server.State()
            ?? throw new CliError(ExitCode.Unavailable, "Centaur is not running.", $"No server of {context.Layout.Home} was found.", "centaur up --detach");
        return new ApiClient(new Uri(state.Api), () => server.State() is { } now ? new Uri(now.Api) : null, context.Variable("CENTAUR_API_KEY") ?? BootstrapKey(context));
    }

    public Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        Send(() => new HttpRequestMessage(HttpMethod.Get, path), type, cancellationToken);

    public Task<TAnswer> Post<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken) =>
        Send(() => new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) }, answerType, cancellationToken);

    public Task<TAnswer> Put<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken) =>
        Send(() => new HttpRequestMessage(HttpMethod.Put, path) { Content = JsonContent.Create(body, bodyType) }, answerType, cancellationToken);

    public Task<JsonElement> Delete(string path, CancellationToken cancellationToken) =>
        Send(() => new HttpRequestMessage(HttpMethod.Delete, path), CliJson.Default.JsonElement, cancellationToken);

    /// <summary>Sends a request whose body can be read once; no second try.</summary>
    public async Task<T> SendOnce<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.SendAsync(Located(request), cancellationToken);
            return await Read(answer, type, cancellationToken);
        }
        catch (HttpRequestException unreachable)
        {
            throw Unreachable(unreachable);
        }
    }

    /// <summary>Opens a stream of server-sent events; null when the server cannot be reached or is not ready, which is worth another try.</summary>
    public async Task<HttpResponseMessage?> OpenStream(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        try
        {
            var answer = await http.SendAsync(Located(request), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.IsSuccessStatusCode)
                return answer;
            using (answer)
            {
                if (IsWorthAnotherTry(answer.StatusCode))
                    return null;
                throw await Refusal(answer, cancellationToken);
            }
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public void Dispose() => http.Dispose();

    async Task<T> Send<T>(Func<HttpRequestMessage> request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var deadline = Environment.TickCount64 + (long)RetryLimit.TotalMilliseconds;
        var pause = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                using var message = request();
                using var answer = await http.SendAsync(Located(message), cancellationToken);
                if (!IsWorthAnotherTry(answer.StatusCode) || Environment.TickCount64 > deadline)
                    return await Read(answer, type, cancellationToken);
                pause = answer.Headers.RetryAfter?.Delta ?? pause;
            }
            catch (HttpRequestException unreachable)
            {
                if (Environment.TickCount64 > deadline)
                    throw Unreachable(unreachable);
            }

            await Task.Delay(pause, cancellationToken);
            pause = TimeSpan.FromMilliseconds(Math.Min(2000, pause.TotalMilliseconds * 2));
        }
    }

    HttpRequestMessage Located(HttpRequestMessage request)
    {
        address = locate() ?? address;
        request.RequestUri = new Uri(address, request.RequestUri!);
        return request;
    }

    static bool IsWorthAnotherTry(HttpStatusCode status) =>
        status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;

    static async Task<T> Read<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        if (!answer.IsSuccessStatusCode)
            throw await Refusal(answer, cancellationToken);
        try
        {
            return (await answer.Content.ReadFromJsonAsync(type, cancellationToken))!;
        }
        catch (JsonException)
        {
            throw new CliError(ExitCode.Unavailable, $"The server answered {(int)answer.StatusCode} with something that is not what was asked for.", "Server and command line may be of different versions.", "centaur down, then centaur up");
        }
    }

    static async Task<CliError> Refusal(HttpResponseMessage answer, CancellationToken cancellationToken) =>
        ApiRefusal.Of((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));

    CliError Unreachable(HttpRequestException cause) =>
        new(ExitCode.Unavailable, $"The server at {address} cannot be reached: {cause.Message}", remedy: "centaur status says what runs; centaur up starts it.");

    static string BootstrapKey(CliContext context)
    {
        try
        {
            return File.ReadAllText(context.Layout.BootstrapKeyFile).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CliError(
                ExitCode.Prerequisite, $"The first admin key cannot be read from {context.Layout.BootstrapKeyFile}.", "The server writes it at its first start, for its own user only.",
                "Run this as the user who runs the server, or set CENTAUR_API_KEY.");
        }
    }
}
