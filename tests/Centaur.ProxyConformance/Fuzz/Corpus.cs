namespace Centaur.ProxyConformance.Fuzz;

/// <summary>What mutations begin with, and the words that they put in.</summary>
static class Corpus
{
    /// <summary>A tunnel in clear text, before every request.</summary>
    public const string Tunnel = "CONNECT api.vendor.test:80 HTTP/1.1\r\nHost: api.vendor.test:80\r\n\r\n";

    public static string[] Words { get; } =
    [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "%2e%2e/", "%00", "..;/", "//", "\\", "%", "\u00ff", "0x10", "-1", "+1", "99999999999999999999", "chunked", "identity", "gzip, chunked",
        "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close, X-Key\r\n", "Upgrade: websocket\r\n", "Expect: 100-continue\r\n", "Host: evil.test\r\n", "\r\n\r\nGET /hidden HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n",
        "HTTP/1.0", "HTTP/2.0", "http://evil.test", "api.vendor.test", "evil.test", "[::1]", "PLACEHOLDER_KEY", "0\r\n\r\n", ";ext=\"\r\n\"", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];

    public static string[] Heads { get; } =
    [
        "GET /open/a?b=c HTTP/1.1\r\nHost: api.vendor.test\r\nX-Key: PLACEHOLDER_KEY\r\nAccept: */*\r\n\r\n",
        "POST /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: 5\r\n\r\nhello",
        "GET /open/ws HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nAuthorization: Basic UExBQ0VIT0xERVJfS0VZ\r\nCookie: a=b; c=d\r\nConnection: keep-alive\r\n\r\nGET /open/b HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n",
    ];

    public static string[] Chunked { get; } =
    [
        "POST /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nf\r\nPLACEHOLDER_KEY\r\n0\r\n\r\n",
        "POST /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "POST /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n8\r\nPLACEHOL\r\n7\r\nDER_KEY\r\n0\r\n\r\nGET /open/b HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n",
    ];

    public static string[] Connects { get; } =
    [
        Tunnel + "GET /open/a HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n",
        "CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api.vendor.test:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n\u0016\u0003\u0001\0\u0005hello",
        "GET http://api.vendor.test/open/a HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n",
    ];

    /// <summary>An answer with the secret in every form that is looked for, and with what only begins like it.</summary>
    public static string Answer { get; } = string.Join(
        '|', "data: " + Patient.Secret, "sk-fuzz-", Uri.EscapeDataString(Patient.Secret), "sk-fuzz-00f1", Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes("user:" + Patient.Secret)),
        Patient.Secret.Replace("/", "\\/", StringComparison.Ordinal), Patient.Secret + Patient.Secret, "sksk-fuzz-00f1/+9c2", "event: end\n\n");

    public static string[] Configs { get; } =
    [
        "proxy: { max_request_body_bytes: 1000 }\ntls: {}\ntransforms:\n  - { name: allowlist, config: { domains: [\"*.vendor.test\"], rules: [{ host: a.test, methods: [GET], paths: [/v1/*], ports: [\"443\"] }] } }\n",
        "transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: env, var: A, ttl: 5m }, replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [/^x-/] }, rules: [{ host: a.test }] }] }\nlog: { level: info }\n",
        "transforms:\n  - name: hmac_sign\n    config: { signature: { message: '{{ .Method | lower }}' }, credentials: { secret: { type: env, var: A } }, headers: [{ name: X, value: '{{ .Signature }}' }], rules: [{ host: a.test }] }\n",
    ];

    /// <summary>What a client of PostgreSQL says before its first statement: for TLS or encryption, startup, password; or that a statement be cancelled.</summary>
    public static string[] Startups { get; } =
    [
        "\0\0\0\u0022\0\u0003\0\0user\0agent\0database\0shop\0\0p\0\0\0\u0014client-password\0Q\0\0\0\u000dselect 1\0",
        "\0\0\0\u0008\u0004\u00d2\u0016\u002f\0\0\0\u0022\0\u0003\0\0user\0agent\0database\0shop\0\0p\0\0\0\u0014client-password\0",
        "\0\0\0\u0008\u0004\u00d2\u0016\u0030\0\0\0\u0031\0\u0003\0\0user\0agent\0database\0shop\0options\0-c a=b\0\0p\0\0\0\u0006x\0",
        "\0\0\0\u0010\u0004\u00d2\u0016\u002e\0\0\0\u0001\0\0\0\u0002",
    ];

    public static string[] StartupWords { get; } =
    [
        "\0", "\0\0\0\u0004", "\0\0\0\u0008", "\u007f\u00ff\u00ff\u00ff", "\u00ff\u00ff\u00ff\u00ff", "\0\u0003\0\0", "\0\u0003\0\u0002", "\0\u0002\0\0", "user\0postgres\0", "options\0-c role=other\0",
        "replication\0true\0", "_pq_.x\01\0", "database\0\0", "p\0\0\0\u0005\0", "X\0\0\0\u0004", "\u0016\u0003\u0001\0\u0005hello",
    ];

    public static string[] ConfigWords { get; } = ["{", "}", "[", "]", ": ", "- ", "\n  ", "\t", "&a ", "*a", "!!binary ", "|", ">", "'", "\"", "~", "null", "{{ .Value", "}}", "%YAML 9\n", "---\n", "...", "\u0000", "1e999", "(a+)+$", "<<: *a"];
}
