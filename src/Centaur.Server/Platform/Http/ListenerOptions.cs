using System.Net;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Platform.Http;

/// <summary>Where the server listens, and what it takes there.</summary>
/// <param name="Api">For operators and clients.</param>
/// <param name="Public">For webhooks; null is off.</param>
/// <param name="SandboxSocket">A unix socket, for sandboxes alone.</param>
/// <param name="Hosts">Names besides loopback's that a request's <c>Host</c> may carry.</param>
/// <param name="CorsOrigins">Origins of browsers that may call the API.</param>
/// <param name="MaxBodyBytes">A larger request is answered 413.</param>
/// <param name="BodyMemoryBytes">What the bodies of requests under way may take together, for each listener; more is answered 503.</param>
public sealed record ListenerOptions(
    IPEndPoint Api, IPEndPoint? Public, string SandboxSocket, IReadOnlyList<string> Hosts, IReadOnlyList<string> CorsOrigins, long MaxBodyBytes,
    long BodyMemoryBytes)
{
    public static ListenerOptions Read(Settings settings)
    {
        var section = settings.Root.Section("listen");
        var maxBody = section.Bytes("max_body", 32L << 20, 1L << 16);
        var bodyMemory = section.Bytes("body_memory", 128L << 20, 1L << 20);
        if (bodyMemory < maxBody)
            section.Report("body_memory", "must not be less than listen.max_body, so that the largest request can be read");
        return new ListenerOptions(
            section.EndPoint("api", "127.0.0.1:8000", mayBeOff: false)!,
            section.EndPoint("public", "127.0.0.1:8002", mayBeOff: true),
            settings.Host.Layout.SandboxApiSocket,
            section.Texts("hosts"),
            section.Texts("cors_origins"),
            maxBody,
            bodyMemory);
    }
}
