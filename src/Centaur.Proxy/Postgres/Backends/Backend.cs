using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>A session at an upstream that is logged in and set up.</summary>
/// <param name="stream">TLS or plain.</param>
/// <param name="dsn">Where it leads.</param>
/// <param name="map">The operator's exception for it, or null.</param>
sealed class Backend(Stream stream, Dsn dsn, UpstreamMap? map) : IAsyncDisposable
{
    public Dsn Dsn => dsn;

    public UpstreamMap? Map => map;

    public WireReader Reader { get; } = new(stream);

    public WireWriter Writer { get; } = new(stream);

    /// <summary>What the server reported (ParameterStatus), the last of each name.</summary>
    public Dictionary<string, string> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>The server's own cancel key, eight bytes; empty where it gave none.</summary>
    public byte[] Key { get; set; } = [];

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
