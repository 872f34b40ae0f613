using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>Bytes that no driver sends.</summary>
public sealed class WireTests(SecuredPostgres server)
{
    /// <summary>Set CENTAUR_FUZZ_ROUNDS and CENTAUR_FUZZ_SEED for more than the short run.</summary>
    static readonly int Rounds = Number("CENTAUR_FUZZ_ROUNDS", 150);

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Encryption_is_declined_and_newer_versions_are_negotiated()
    {
        await using var proxy = await Plain(server);
        using var client = await Dial(proxy);
        await client.SendAsync(Packet(80877103), Token);
        (await Receive(client, 1)).ShouldBe("N"u8.ToArray());
        await client.SendAsync(Packet(80877104), Token);
        (await Receive(client, 1)).ShouldBe("N"u8.ToArray());

        await client.SendAsync(Packet((3 << 16) | 2, "user\0agent\0database\0shop\0_pq_.new\01\0\0"), Token);

        var answer = await Receive(client, 1);
        answer.ShouldBe("v"u8.ToArray());
    }

    [Fact]
    public async Task A_key_that_was_not_given_out_cancels_nothing()
    {
        await using var proxy = await Plain(server);
        using var client = await Dial(proxy);

        await client.SendAsync(Packet(80877102, "\0\0\0\u0001abcd"), Token);

        (await ReadAll(client)).ShouldBeEmpty();
        (await proxy.Stop(Token)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_FunctionCall_message_and_a_statement_too_long_are_refused_and_the_session_goes_on()
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token, ", auth: password");
        using var client = await LogIn(proxy);

        await client.SendAsync(Message('F', "\0\0\u0008\u0016\0\0\0\0\0\0"), Token);
        (await Answers(client)).ShouldContain("C42501");
        await client.SendAsync(Message('Q', new string(' ', 5 * 1024 * 1024) + "\0"), Token);
        (await Answers(client)).ShouldContain("C54000");
        await client.SendAsync(Message('Q', "set role x\0trailing\0"), Token);
        (await Answers(client)).ShouldContain("C42601");
        await client.SendAsync(Message('Q', "select 41 + 1\0"), Token);
        (await Answers(client)).ShouldContain("42");
        await client.SendAsync(Message('W', ""), Token);
        Encoding.Latin1.GetString(await ReadAll(client)).ShouldContain("C08P01");
    }

    [Fact]
    public async Task One_client_too_many_is_told_so()
    {
        await using var proxy = await Plain(server);
        var silent = new List<Socket>();
        for (var i = 0; i < 100; i++)
            silent.Add(await Dial(proxy));

        using var client = await Dial(proxy);
        await client.SendAsync(Packet(3 << 16, "user\0agent\0\0"), Token);

        Encoding.Latin1.GetString(await ReadAll(client)).ShouldContain("C53300");
        silent.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10_001)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    public async Task A_startup_packet_has_a_least_and_a_greatest_length(int length)
    {
        await using var proxy = await Plain(server);
        using var client = await Dial(proxy);

        await client.SendAsync(Number(length).Concat(Number(3 << 16)).ToArray(), Token);

        Encoding.Latin1.GetString(await ReadAll(client)).ShouldContain("C08P01");
    }

    [Fact]
    public async Task Nothing_that_is_sent_ends_the_program()
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token, ", auth: password");
        var seed = Number("CENTAUR_FUZZ_SEED", 20261121);
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var inside = round % 3 == 0;
            using var client = inside ? await LogIn(proxy) : await Dial(proxy);
            var bytes = inside ? Mutated(random, Message('P', "s\0select $1\0\0\0"), Message('B', "\0s\0\0\0\0\0\0\0"), Message('E', "\0\0\0\0\0"), Message('S', ""), Message('Q', "select 'a'\0"))
                : Mutated(random, Packet(80877103), Packet(3 << 16, "user\0agent\0database\0shop\0options\0-c x=y\0\0"), Message('p', DatabaseProxy.ClientPassword + "\0"));
            try
            {
                await client.SendAsync(bytes, Token);
                client.Shutdown(SocketShutdown.Send);
                Encoding.Latin1.GetString(await ReadAll(client)).ShouldNotContain(SecuredPostgres.RealPassword, Case.Sensitive, $"seed {seed}, round {round}");
            }
            catch (SocketException)
            {
                // It closed first.
            }
        }

        await using var connection = new NpgsqlConnection(proxy.ConnectionString("shop", "Pooling=false"));
        await connection.OpenAsync(Token);
    }

    static byte[] Mutated(Random random, params byte[][] messages)
    {
        var bytes = messages.SelectMany(message => message).ToArray();
        for (var changes = random.Next(1, 6); changes > 0; changes--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes[..random.Next(1, bytes.Length + 1)];
    }

    static Task<DatabaseProxy> Plain(SecuredPostgres server) => DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token);

    static async Task<Socket> Dial(DatabaseProxy proxy)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", proxy.Port, Token);
        return client;
    }

    static async Task<Socket> LogIn(DatabaseProxy proxy)
    {
        var client = await Dial(proxy);
        await client.SendAsync(Packet(3 << 16, "user\0agent\0database\0shop\0\0"), Token);
        await client.SendAsync(Message('p', DatabaseProxy.ClientPassword + "\0"), Token);
        await Answers(client);
        return client;
    }

    static byte[] Packet(int code, string body = "") => [.. Number(8 + body.Length), .. Number(code), .. Encoding.Latin1.GetBytes(body)];

    static byte[] Message(char type, string body) => [(byte)type, .. Number(4 + body.Length), .. Encoding.Latin1.GetBytes(body)];

    static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;

    /// <summary>All messages up to ReadyForQuery.</summary>
    static async Task<string> Answers(Socket client)
    {
        var text = new StringBuilder();
        while (true)
        {
            var header = await Receive(client, 5);
            text.Append((char)header[0]).Append(Encoding.Latin1.GetString(await Receive(client, BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1)) - 4)));
            if (header[0] == 'Z')
                return text.ToString();
        }
    }

    static async Task<byte[]> Receive(Socket client, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await client.ReceiveAsync(bytes.AsMemory(at), Token);
            at += read > 0 ? read : throw new EndOfStreamException($"It ended after {at} of {count} bytes.");
        }

        return bytes;
    }

    static async Task<byte[]> ReadAll(Socket client)
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await client.ReceiveAsync(buffer, Token)) > 0)
            all.Write(buffer, 0, read);
        return all.ToArray();
    }
}
