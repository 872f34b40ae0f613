using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis;

/// <summary>One vendor's wire API: how its requests are checked and read, and how its answers and errors look.</summary>
internal interface IModelApi
{
    string Path { get; }

    /// <summary>What is wrong with a request, worst first; nothing for a good one. Lazy: the caller takes the first.</summary>
    IEnumerable<ApiFault> Faults(JsonObject body, IHeaderDictionary headers);

    /// <summary>Reads a body without faults.</summary>
    ModelRequest Read(JsonObject body, int inputTokens);

    /// <summary>The answer as one document.</summary>
    JsonObject Whole(ModelRequest request, Reply reply);

    /// <summary>The answer as a stream, waiting where the script waits.</summary>
    IAsyncEnumerable<ServerSentEvent> Stream(ModelRequest request, Reply reply, CancellationToken cancellationToken);

    /// <summary>Credential errors and others in the vendor's words.</summary>
    IVendor Vendor { get; }
}

/// <param name="Name">The event's name, or null for APIs that send data alone.</param>
/// <param name="Data">One line.</param>
internal readonly record struct ServerSentEvent(string? Name, string Data);
