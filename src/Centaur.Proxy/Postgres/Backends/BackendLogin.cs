using System.Buffers.Binary;
using System.Net.Security;
using System.Text;
using Centaur.Proxy.Postgres.Authentication;
using Centaur.Proxy.Postgres.Wire;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>Answers what an upstream asks for (PostgreSQL documentation, "Start-up" and "SASL Authentication").</summary>
/// <param name="backend">The connection.</param>
/// <param name="dsn">Whose password is given.</param>
/// <param name="tls">The channel to bind to, or null.</param>
/// <param name="isPrivate">True on TLS and on loopback: only there may the password, or its MD5, be sent.</param>
sealed class BackendLogin(Backend backend, Dsn dsn, SslStream? tls, bool isPrivate)
{
    const int Ok = 0;
    const int Cleartext = 3;
    const int Md5 = 5;
    const int Sasl = 10;
    const int SaslContinue = 11;
    const int SaslFinal = 12;

    public async Task Run(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (request, data) = await Request(cancellationToken);
            switch (request)
            {
                case Ok:
                    return;
                case Cleartext when isPrivate:
                    await Answer(new WireMessage('p').Raw(Password.Bytes).Raw("\0"u8), cancellationToken);
                    break;
                case Md5 when isPrivate && data.Length == 4:
                    await Answer(new WireMessage('p').Text(Md5Password.Answer(Password.Bytes, dsn.User, data)), cancellationToken);
                    break;
                case Cleartext or Md5:
                    throw Failed("The upstream asks for the password itself, or its MD5, on a connection that is not encrypted.", "Use sslmode=verify-full, or SCRAM-SHA-256 at the server.");
                case Sasl:
                    await Scram(data, cancellationToken);
                    break;
                default:
                    throw Failed("The upstream asks for a way to log in that is not spoken here.", "Use SCRAM-SHA-256 at the server.");
            }
        }
    }

    Secret Password => dsn.Password ?? throw Failed("The upstream asks for a password, and the DSN has none.", "The operator can add one.");

    async Task Scram(byte[] mechanisms, CancellationToken cancellationToken)
    {
        var offered = Encoding.ASCII.GetString(mechanisms).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var hash = tls is not null && offered.Contains("SCRAM-SHA-256-PLUS") ? BackendTls.EndPointHash(tls) : null;
        if (hash is null && !offered.Contains("SCRAM-SHA-256"))
            throw Failed("The upstream offers no SCRAM-SHA-256.", "Use SCRAM-SHA-256 at the server.");
        var scram = new ScramClient(Password.Bytes, hash);
        var first = Encoding.ASCII.GetBytes(scram.First);
        await Answer(new WireMessage('p').Text(hash is null ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS").Int32(first.Length).Raw(first), cancellationToken);

        var challenge = await Expect(SaslContinue, cancellationToken);
        // Off the thread that serves every socket: how long it takes is the upstream's choice.
        var final = await Task.Run(() => scram.Answer(challenge), cancellationToken) ?? throw Invalid();
        await Answer(new WireMessage('p').Raw(Encoding.ASCII.GetBytes(final)), cancellationToken);
        if (!scram.Accepts(await Expect(SaslFinal, cancellationToken)))
            throw Invalid();
    }

    async Task<string> Expect(int expected, CancellationToken cancellationToken)
    {
        var (request, data) = await Request(cancellationToken);
        return request == expected ? Encoding.ASCII.GetString(data) : throw Invalid();
    }

    async Task<(int Request, byte[] Data)> Request(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (type, body) = await BackendConnector.Receive(backend, cancellationToken);
            switch ((char)type)
            {
                case 'R' when body.Length >= 4:
                    return (BinaryPrimitives.ReadInt32BigEndian(body), body[4..]);
                case 'E':
                    throw BackendMessages.Refused(body, "The upstream did not let the proxy in");
                case 'N':
                    break;
                default:
                    throw Failed("The upstream does not speak the protocol of Postgres.", "The operator can check host and port.");
            }
        }
    }

    Task Answer(WireMessage message, CancellationToken cancellationToken) => BackendConnector.Send(backend, message.Build(), cancellationToken);

    static PostgresFault Invalid() => Failed("The upstream's part of SCRAM-SHA-256 is not valid: it may not be the server that it should be.", "The operator can check the address of the DSN.");

    static PostgresFault Failed(string what, string hint) => new(SqlStates.ConnectionFailure, what, "upstream_login_failed") { Hint = hint };
}
