using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Jail;

/// <summary>The environment of everything that a keeper starts in its jail: every way in which a client can be told its proxy and its certificates.</summary>
internal static class JailEnvironment
{
    /// <summary>Where the <c>call</c> command stands.</summary>
    public const string Commands = "/opt/centaur/bin";

    static readonly string Proxy = $"http://127.0.0.1:{JailPaths.ProxyPort}";

    /// <param name="toolchain">Their <c>bin</c> folders come first on the path.</param>
    /// <param name="identity">Whose sandbox it is by now. Its token is a file, never a variable.</param>
    public static Dictionary<string, string> For(IReadOnlyList<ToolchainMount> toolchain, SandboxIdentity? identity)
    {
        var path = toolchain.Where(mount => Directory.Exists($"{mount.Source}/bin")).Select(mount => $"{mount.Target}/bin");
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = string.Join(':', [Commands, .. path, "/usr/local/bin", "/usr/bin", "/bin"]),
            ["HOME"] = JailPaths.Home,
            ["USER"] = "agent",
            ["LOGNAME"] = "agent",
            ["SHELL"] = "/bin/bash",
            ["LANG"] = "C.UTF-8",
            ["TERM"] = "dumb",
            ["HTTP_PROXY"] = Proxy,
            ["http_proxy"] = Proxy,
            ["HTTPS_PROXY"] = Proxy,
            ["https_proxy"] = Proxy,
            ["ALL_PROXY"] = Proxy,
            ["all_proxy"] = Proxy,
            ["NO_PROXY"] = "localhost,127.0.0.1",
            ["no_proxy"] = "localhost,127.0.0.1",
            ["NODE_USE_ENV_PROXY"] = "1",
            ["NODE_EXTRA_CA_CERTS"] = JailPaths.CaCertificate,
            ["CODEX_CA_CERTIFICATE"] = JailPaths.CaCertificate,
            ["SSL_CERT_FILE"] = JailPaths.CaBundle,
            ["REQUESTS_CA_BUNDLE"] = JailPaths.CaBundle,
            ["CURL_CA_BUNDLE"] = JailPaths.CaBundle,
            ["GIT_SSL_CAINFO"] = JailPaths.CaBundle,
            ["GIT_TERMINAL_PROMPT"] = "0",
            ["CENTAUR_API_URL"] = $"http://127.0.0.1:{JailPaths.ApiPort}",
        };
        if (identity is not null)
        {
            environment["CENTAUR_THREAD_KEY"] = identity.ThreadKey;
            environment["CENTAUR_TRACE_ID"] = identity.TraceId;
        }

        return environment;
    }
}
