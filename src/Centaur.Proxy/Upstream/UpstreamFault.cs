using System.Net.Sockets;
using System.Security.Authentication;
using Centaur.Proxy.Front;

namespace Centaur.Proxy.Upstream;

/// <summary>Why an upstream was not reached, as a refusal code. Its message may be shown to the sandbox.</summary>
sealed class UpstreamFault(string code, string message, Exception? inner = null) : IOException(message, inner)
{
    public string Code { get; } = code;

    /// <summary>Finds the code of whatever the HTTP stack threw.</summary>
    public static (string Code, string What) Explain(Exception fault, string host)
    {
        for (var inner = fault; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case UpstreamFault known:
                    return (known.Code, known.Message);
                case AuthenticationException:
                    return (RefusalCodes.UpstreamTlsFailed, $"The TLS handshake with {host} failed: its certificate is not trusted, or it speaks no TLS.");
                case SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return (RefusalCodes.ConnectTimedOut, $"{host} did not answer in time.");
                default:
                    continue;
            }
        }

        return (RefusalCodes.UpstreamBroke, $"{host} closed the connection, or its answer is not valid HTTP.");
    }
}
