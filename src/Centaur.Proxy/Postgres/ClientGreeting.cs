using System.Text;
using Centaur.Proxy.Postgres.Authentication;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres;

/// <summary>
/// The client's side until it is known (PostgreSQL documentation, "Start-up").
/// <para>1. Encryption is declined: the listener is on loopback or a Unix socket, or its operator was told. 2. A CancelRequest ends it. 3. Versions and options that are not spoken
/// are negotiated away. 4. Name and password.</para>
/// </summary>
sealed class ClientGreeting(WireReader reader, WireWriter writer, PostgresModel model)
{
    /// <summary>The limit of Postgres itself, PG_MAX_SASL_MESSAGE_LENGTH.</summary>
    const int LongestAnswer = 1024;

    const int Ok = 0;
    const int Cleartext = 3;
    const int Sasl = 10;
    const int SaslContinue = 11;
    const int SaslFinal = 12;

    const string Mechanism = "SCRAM-SHA-256";

    /// <summary>The startup packet of a client that proved who it is; its cancel key where it came to cancel; neither where it left.</summary>
    public async Task<(StartupPacket? Packet, byte[]? CancelKey)> Run(CancellationToken cancellationToken)
    {
        var (declinedSsl, declinedGss) = (false, false);
        while (await reader.ReadInt32(cancellationToken) is { } length)
        {
            if (length is < 8 or > StartupPacket.LongestBytes)
                throw PostgresFault.Protocol("The startup packet is too short or too long.");
            var code = await reader.ReadInt32(cancellationToken) ?? throw new EndOfStreamException("The client left.");
            switch (code)
            {
                // 1.
                case StartupPacket.SslRequest when length == 8 && !declinedSsl:
                    declinedSsl = true;
                    await Send("N"u8.ToArray(), cancellationToken);
                    break;
                case StartupPacket.GssEncryptionRequest when length == 8 && !declinedGss:
                    declinedGss = true;
                    await Send("N"u8.ToArray(), cancellationToken);
                    break;
                // 2.
                case StartupPacket.CancelRequest:
                    return (null, await reader.ReadBody(length - 8, cancellationToken));
                default:
                    var packet = StartupPacket.Parse(code, await reader.ReadBody(length - 8, cancellationToken));
                    await Negotiate(packet, cancellationToken);
                    await LogIn(packet, cancellationToken);
                    return (packet, null);
            }
        }

        return (null, null);
    }

    // 3.
    async Task Negotiate(StartupPacket packet, CancellationToken cancellationToken)
    {
        var options = packet.ProtocolOptions.ToList();
        if (packet.MinorVersion == 0 && options.Count == 0)
            return;
        var answer = new WireMessage('v').Int32(StartupPacket.Version3).Int32(options.Count);
        foreach (var option in options)
            answer.Text(option);
        await Send(answer.Build(), cancellationToken);
    }

    // 4.
    async Task LogIn(StartupPacket packet, CancellationToken cancellationToken)
    {
        if (packet.User != model.User)
            throw new PostgresFault(SqlStates.InvalidAuthorization, "There is no such user here.", "client_user_unknown") { Hint = "Use the user name that the operator gave." };
        if (model.Cleartext)
        {
            await Send(Request(Cleartext).Build(), cancellationToken);
            var password = await Answer(cancellationToken);
            if (password is not [.. var typed, 0] || !model.Passwords.IsPassword(typed))
                throw WrongPassword();
        }
        else
        {
            await Scram(cancellationToken);
        }

        await Send(Request(Ok).Build(), cancellationToken);
    }

    async Task Scram(CancellationToken cancellationToken)
    {
        await Send(Request(Sasl).Text(Mechanism).Raw("\0"u8).Build(), cancellationToken);
        var initial = await Answer(cancellationToken);
        var end = initial.AsSpan().IndexOf((byte)0);
        if (end < 0 || Encoding.ASCII.GetString(initial, 0, end) != Mechanism || initial.Length < end + 5)
            throw PostgresFault.Protocol("The client chose a way to log in that was not offered.");
        var exchange = model.Passwords.Begin();
        var challenge = exchange.Challenge(Encoding.ASCII.GetString(initial.AsSpan(end + 5))) ?? throw PostgresFault.Protocol("The client's first SCRAM message is not valid.");
        await Send(Request(SaslContinue).Raw(Encoding.ASCII.GetBytes(challenge)).Build(), cancellationToken);
        var proof = exchange.Verify(Encoding.ASCII.GetString(await Answer(cancellationToken))) ?? throw WrongPassword();
        await Send(Request(SaslFinal).Raw(Encoding.ASCII.GetBytes(proof)).Build(), cancellationToken);
    }

    static WireMessage Request(int kind) => new WireMessage('R').Int32(kind);

    async Task<byte[]> Answer(CancellationToken cancellationToken)
    {
        var header = await reader.ReadHeader(cancellationToken) ?? throw new EndOfStreamException("The client left.");
        if ((char)header.Type != 'p' || header.Length > LongestAnswer)
            throw PostgresFault.Protocol("A password was expected.");
        return await reader.ReadBody(header.Length, cancellationToken);
    }

    async Task Send(byte[] message, CancellationToken cancellationToken)
    {
        await writer.Write(message, cancellationToken);
        await writer.Flush(cancellationToken);
    }

    static PostgresFault WrongPassword() => new(SqlStates.InvalidPassword, "The password is wrong.", "client_password_wrong") { Hint = "Use the password that the operator gave for this proxy, not that of the database." };
}
