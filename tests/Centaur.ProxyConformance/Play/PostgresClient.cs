using System.Buffers.Binary;
using System.Text;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Targets;

namespace Centaur.ProxyConformance.Play;

/// <summary>A client of PostgreSQL's protocol 3.0 that logs in with a cleartext password, says one thing, and then asks who it is.</summary>
sealed class PostgresClient(Wire wire, CancellationToken cancellationToken)
{
    /// <summary>What no client may change, asked in the same session.</summary>
    const string WhoAmI = "select current_user::text || '/' || session_user::text || '/' || current_setting('app.tenant', true)";

    readonly StringBuilder raw = new();
    string state = "";

    public static async Task<Answer> Ask(IRunningProxy proxy, ClientScript client, CancellationToken cancellationToken)
    {
        await using var wire = await Wire.Connect(proxy.Port("postgres"), cancellationToken);
        return await new PostgresClient(wire, cancellationToken).Run(client);
    }

    async Task<Answer> Run(ClientScript client)
    {
        var startup = new Dictionary<string, string>(client.Startup) { ["user"] = client.User, ["database"] = client.Database };
        var packet = string.Concat(startup.Select(pair => $"{pair.Key}\0{pair.Value}\0")) + "\0";
        await wire.Send([.. Number(8 + packet.Length), .. Number(3 << 16), .. Encoding.UTF8.GetBytes(packet)], cancellationToken);
        if (!await Until('R', 'Z'))
            return Result("");
        await wire.Send(Message('p', client.Password + "\0"), cancellationToken);
        if (!await Until('Z'))
            return Result("");

        if (client.Message is { } message)
            await wire.Send(Message(message[0], message[1..]), cancellationToken);
        else if (client.Extended)
            await wire.Send([.. Message('P', $"\0{client.Sql}\0\0\0"), .. Message('S', "")], cancellationToken);
        else
            await wire.Send(Message('Q', $"{client.Sql}\0"), cancellationToken);
        await Until('Z');
        var after = state;

        var before = raw.Length;
        await wire.Send(Message('Q', "rollback\0"), cancellationToken);
        await Until('Z');
        await wire.Send(Message('Q', $"{WhoAmI}\0"), cancellationToken);
        await Until('Z');
        var who = raw.ToString(before, raw.Length - before);
        await wire.Send(Message('X', ""), cancellationToken);
        state = after;
        return Result(who);
    }

    Answer Result(string who) => new() { Sqlstate = state, Raw = raw.ToString(), Body = who };

    /// <summary>Reads messages up to one of these types; false where an error ended the session first.</summary>
    async Task<bool> Until(params char[] types)
    {
        while (true)
        {
            byte[] header;
            try
            {
                header = await wire.ReadExactly(5, cancellationToken);
            }
            catch (EndOfStreamException)
            {
                return false;
            }

            var body = Encoding.UTF8.GetString(await wire.ReadExactly(BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4, cancellationToken));
            raw.Append((char)header[0]).Append(body).Append('\n');
            if (header[0] == 'E')
                state = body.Split('\0').First(field => field.StartsWith('C'))[1..];
            // The server waits for data that nobody has.
            if (header[0] == 'G')
                await wire.Send(Message('f', "none\0"), cancellationToken);
            if (types.Contains((char)header[0]))
                return true;
        }
    }

    static byte[] Message(char type, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return [(byte)type, .. Number(4 + bytes.Length), .. bytes];
    }

    static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
