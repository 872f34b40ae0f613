using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Call;

/// <summary>What <c>call</c> finds in its environment, read once.</summary>
internal sealed record CallSurroundings(string ApiUrl, string? Token, string? TraceId, string? ThreadKey, TimeSpan Timeout)
{
    const int DefaultTimeoutSeconds = 1800;

    public static CallSurroundings Read() => new(
        Environment.GetEnvironmentVariable("CENTAUR_API_URL") ?? $"http://127.0.0.1:{JailPaths.ApiPort}",
        ReadToken(),
        Environment.GetEnvironmentVariable("CENTAUR_TRACE_ID"),
        Environment.GetEnvironmentVariable("CENTAUR_THREAD_KEY"),
        TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("CALL_TIMEOUT_SECONDS"), out var seconds) ? seconds : DefaultTimeoutSeconds));

    /// <summary>The token never prints.</summary>
    public override string ToString() => $"CallSurroundings {{ ApiUrl = {ApiUrl}, ThreadKey = {ThreadKey} }}";

    // The file is renewed while the sandbox lives, the variable is not.
    static string? ReadToken()
    {
        var file = $"{Environment.GetEnvironmentVariable("HOME") ?? JailPaths.Home}/.api_key";
        return File.Exists(file) ? File.ReadAllText(file).Trim() : Environment.GetEnvironmentVariable("CENTAUR_API_KEY");
    }
}
