using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Tests.Sandboxes;

/// <summary>The server's side of the attach protocol, against a keeper that says exactly what the test tells it to.</summary>
public sealed class KeeperConnectionTests : IAsyncLifetime
{
    const string AttachedLine = """{"type":"attached","sandbox_id":"sbx-1","generation":7,"last_seq":2,"phase":"running","policy_version":1,"ca_certificate":""}""";

    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly string path = Path.Combine(Path.GetTempPath(), $"keeper-{Guid.CreateVersion7():N}.sock");
    Socket client = null!;
    NetworkStream keeper = null!;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancellation);
        keeper = new NetworkStream(await listener.AcceptAsync(Cancellation), ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await keeper.DisposeAsync();
        client.Dispose();
        listener.Dispose();
        File.Delete(path);
    }

    [Fact]
    public async Task Attach_names_its_generation_and_cursor_and_frames_follow_in_order()
    {
        await using var connection = await Attach();

        await Say("""{"seq":1,"turn":"t","event":{"type":"assistant"}}""", """{"seq":2,"turn":"t","event":{"type":"result"}}""");

        (await connection.Frames.ReadAsync(Cancellation)).Seq.ShouldBe(1);
        (await connection.Frames.ReadAsync(Cancellation)).Event.GetProperty("type").GetString().ShouldBe("result");
    }

    [Fact]
    public async Task A_lower_generation_is_refused_with_its_code()
    {
        var attaching = KeeperConnection.Attach(new NetworkStream(client), CrashPoints.None, generation: 6, afterSeq: 0, Cancellation);
        await Say("""{"type":"refused","code":"generation_stale","message":"Generation 7 holds this sandbox."}""");

        (await Should.ThrowAsync<KeeperRefusedException>(() => attaching)).Code.ShouldBe(RefusalCodes.GenerationStale);
    }

    [Fact]
    public async Task An_answer_is_told_from_the_frames_around_it()
    {
        await using var connection = await Attach();
        var asking = connection.Ask<TurnAccepted>(new UserTurn("turn-1", JsonDocument.Parse("{}").RootElement), Cancellation);

        await Say("""{"seq":1,"event":{"type":"status"}}""", """{"type":"accepted","turn":"turn-1","repeated":true}""", """{"seq":2,"event":{"type":"status"}}""");

        (await asking).Repeated.ShouldBeTrue();
        (await connection.Frames.ReadAsync(Cancellation)).Seq.ShouldBe(1);
        (await connection.Frames.ReadAsync(Cancellation)).Seq.ShouldBe(2);
    }

    [Fact]
    public async Task A_keeper_that_dies_in_the_middle_of_a_frame_ends_the_stream_without_half_a_frame()
    {
        await using var connection = await Attach();

        await keeper.WriteAsync(Encoding.UTF8.GetBytes("""{"seq":1,"event":{"type":"status"}}""" + "\n" + """{"seq":2,"ev"""), Cancellation);
        await keeper.DisposeAsync();

        (await connection.Frames.ReadAllAsync(Cancellation).ToListAsync(Cancellation)).Select(f => f.Seq).ShouldBe([1]);
    }

    [Fact]
    public async Task A_keeper_that_dies_before_it_answers_is_an_outage_and_not_a_refusal()
    {
        await using var connection = await Attach();
        var asking = connection.Ask<Claimed>(new StopSandbox("done"), Cancellation);

        await keeper.DisposeAsync();

        await Should.ThrowAsync<IOException>(() => asking);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(1 << 20)]
    public async Task While_nobody_takes_its_frames_the_socket_is_not_read_and_nothing_is_lost(int size)
    {
        const long Most = 12 << 20;
        await using var connection = await Attach();
        var line = Encoding.UTF8.GetBytes($$$"""{"seq":1,"event":{"type":"status","message":"{{{new string('x', size)}}}"}}""" + "\n");
        var count = Math.Min(20_000, (int)(4 * Most / line.Length));
        var written = 0;

        var writing = Write();
        // Until the keeper is stuck: it wrote nothing for a while, although it has more to say.
        for (var before = -1; before != Volatile.Read(ref written); await Task.Delay(300, Cancellation))
            before = Volatile.Read(ref written);
        var held = Volatile.Read(ref written);
        var read = 0;
        while (read < count && await connection.Frames.WaitToReadAsync(Cancellation))
        {
            while (connection.Frames.TryRead(out _))
                read++;
        }
        await writing;

        held.ShouldBeLessThan(count);
        ((long)held * line.Length).ShouldBeLessThan(Most);
        read.ShouldBe(count);

        async Task Write()
        {
            for (; written < count; Interlocked.Increment(ref written))
                await keeper.WriteAsync(line, Cancellation);
        }
    }

    [Fact]
    public async Task A_keeper_that_answers_what_nobody_asked_is_cut_off()
    {
        await using var connection = await Attach();

        await Say([.. Enumerable.Repeat("""{"type":"accepted","turn":"turn-1","repeated":true}""", 100)]);

        await Should.ThrowAsync<JsonException>(() => connection.Frames.Completion);
    }

    async Task<KeeperConnection> Attach()
    {
        var attaching = KeeperConnection.Attach(new NetworkStream(client), CrashPoints.None, generation: 7, afterSeq: 0, Cancellation);
        await using var lines = new LineReader(keeper, 1 << 16);
        var request = await lines.Read(Cancellation);
        Encoding.UTF8.GetString(request.Bytes.Span).ShouldBe("""{"type":"attach","generation":7,"after_seq":0}""");
        await Say(AttachedLine);
        return await attaching;
    }

    async Task Say(params string[] lines) => await keeper.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))), Cancellation);
}
