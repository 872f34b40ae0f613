using System.Text.RegularExpressions;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Chooses the client and the address. A base address may end in its version or not, as people write both.</summary>
internal static partial class ModelClients
{
    public static IModelClient For(AgentOptions options, HttpClient http)
    {
        var endpoint = Endpoint(options.BaseUrl, options.Api);
        var transport = new ModelTransport(http, endpoint);
        return options.Api == "messages"
            ? new MessagesClient(transport, options.Model, options.Key)
            : new ChatCompletionsClient(transport, options.Model, options.Key);
    }

    internal static Uri Endpoint(Uri baseUrl, string api)
    {
        var path = baseUrl.AbsolutePath.TrimEnd('/');
        var versioned = Version().IsMatch(path) || (api == "chat_completions" && path.Length > 0);
        var end = api == "messages" ? "messages" : "chat/completions";
        return new UriBuilder(baseUrl) { Path = versioned ? $"{path}/{end}" : $"{path}/v1/{end}" }.Uri;
    }

    [GeneratedRegex(@"/v\d+[a-z0-9]*\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();
}
