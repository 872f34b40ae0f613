using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>How strictly the upstream's TLS is checked (libpq documentation, "SSL Support").</summary>
enum SslMode
{
    /// <summary>Nothing was written: verify-full, or plain on loopback.</summary>
    Unset,
    Disable,
    Require,
    VerifyCa,
    VerifyFull,
}

/// <summary>Where a database is and how it is entered. It does not print: most of it came out of a secret.</summary>
sealed class Dsn
{
    public required Authority Address { get; init; }

    public required string User { get; init; }

    public required string Database { get; init; }

    /// <summary>Null where the server is expected to ask for none.</summary>
    public required Secret? Password { get; init; }

    public required SslMode SslMode { get; init; }

    /// <summary>Path of the PEM file of the authorities to trust, or null.</summary>
    public required string? RootCertificate { get; init; }

    public override string ToString() => "Dsn";
}
