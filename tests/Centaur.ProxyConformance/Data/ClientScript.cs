namespace Centaur.ProxyConformance.Data;

/// <summary>What the client does. Where <see cref="Bytes"/> is there, it sends these and nothing else.</summary>
sealed record ClientScript
{
    public string Method { get; set; } = "GET";

    public string Target { get; set; } = "/";

    public string Host { get; set; } = "api.vendor.test";

    public int Port { get; set; }

    /// <summary>
    /// <c>tls</c> in a tunnel, <c>tunnel</c> (clear text in one), <c>absolute</c> (clear text, without one), <c>socks</c> (TLS behind
    /// SOCKS5), or <c>proxy</c> for what goes to the listener itself.
    /// </summary>
    public string Via { get; set; } = "tls";

    /// <summary>The listener: <c>tunnel</c>, <c>http</c>, <c>https</c> or <c>management</c>.</summary>
    public string Listener { get; set; } = "tunnel";

    /// <summary><c>Name: value</c> each, in their order and as often as they stand here.</summary>
    public List<string> Headers { get; set; } = [];

    /// <summary>False: the request has no Host of ours.</summary>
    public bool NamesHost { get; set; } = true;

    public string? Body { get; set; }

    /// <summary>So many bytes of <c>x</c>.</summary>
    public int BodySize { get; set; }

    /// <summary>The body in chunks.</summary>
    public List<string> Chunks { get; set; } = [];

    /// <summary><c>1.1</c> or <c>2</c>.</summary>
    public string Version { get; set; } = "1.1";

    /// <summary>Of CONNECT, where it is not host and port.</summary>
    public string? Authority { get; set; }

    /// <summary>Methods of logging in that a client of SOCKS5 offers.</summary>
    public List<byte> SocksMethods { get; set; } = [0];

    /// <summary>Its request in hexadecimal digits, where it is not CONNECT to host and port by name.</summary>
    public string? SocksRequest { get; set; }

    /// <summary>More headers of CONNECT.</summary>
    public List<string> ConnectHeaders { get; set; } = [];

    /// <summary>Of the handshake, where it is not the host.</summary>
    public string? ServerName { get; set; }

    public string? Bytes { get; set; }

    /// <summary>Texts that it sends in frames, and awaits an answer to each.</summary>
    public List<string> Frames { get; set; } = [];

    /// <summary>How often, one after another.</summary>
    public int Times { get; set; } = 1;

    /// <summary>A statement for the database.</summary>
    public string? Sql { get; set; }

    /// <summary>Sends it as Parse instead of Query.</summary>
    public bool Extended { get; set; }

    /// <summary>A message of the protocol instead: its type and body.</summary>
    public string? Message { get; set; }

    public string User { get; set; } = "agent";

    public string Password { get; set; } = "client-password-71";

    public string Database { get; set; } = "shop";

    /// <summary>More of the startup packet.</summary>
    public Dictionary<string, string> Startup { get; set; } = [];

    /// <summary>Written before the step: the proxy's file, or one beside it.</summary>
    public Dictionary<string, string> Writes { get; set; } = [];
}
