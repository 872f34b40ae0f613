using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Centaur.Proxy.Unpacking;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Unpacking;

public sealed class UnpackerTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", false, true)]
    [InlineData("identity", false, true)]
    [InlineData("GZIP", true, true)]
    [InlineData("br , gzip", true, true)]
    [InlineData("zstd", true, true)]
    [InlineData("gzip, gzip, gzip", true, false)]
    [InlineData("compress", true, false)]
    [InlineData("gzip, snappy", true, false)]
    public void A_header_says_what_is_packed_and_whether_it_can_be_searched(string header, bool packed, bool known)
    {
        var unpacker = Unpacker.Of(header);

        (unpacker.IsPacked, unpacker.IsKnown).ShouldBe((packed, known));
    }

    [Fact]
    public async Task What_was_packed_twice_is_unpacked_from_the_outside_in()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(ZstandardPacker.Pack("twice"u8), Token);
        packed.Position = 0;

        (await Read(Unpacker.Of("zstd, gzip").Unpack(packed))).ShouldBe("twice"u8.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Zstandard_comes_out_the_same_however_it_is_cut_and_however_little_room_there_is(int seed)
    {
        var random = new Random(seed);
        byte[] plain = [.. Enumerable.Range(0, 5_000).SelectMany(n => Encoding.UTF8.GetBytes($"line {n} of {seed}\n")), .. RandomBytes(random, 200_000)];
        // Two frames, one after the other, are one answer.
        byte[] packed = [.. ZstandardPacker.Pack(plain.AsSpan(0, 70_000)), .. ZstandardPacker.Pack(plain.AsSpan(70_000))];

        (await Read(new ZstandardStream(new CutStream(packed, random)), random)).ShouldBe(plain);
    }

    [Fact]
    public async Task What_was_flushed_can_be_read_before_more_comes()
    {
        var pipe = new Pipe();
        await using var plain = new ZstandardStream(pipe.Reader.AsStream());
        await pipe.Writer.WriteAsync(ZstandardPacker.Pack("first"u8), Token);
        var room = new byte[100];

        var read = await plain.ReadAsync(room, Token);

        room[..read].ShouldBe("first"u8.ToArray());
    }

    [Fact]
    public async Task Zstandard_that_is_cut_off_or_is_none_is_a_fault()
    {
        var packed = ZstandardPacker.Pack(RandomBytes(new Random(1), 1_000));

        await Should.ThrowAsync<EndOfStreamException>(() => Read(new ZstandardStream(new MemoryStream(packed[..^10]))));
        await Should.ThrowAsync<InvalidDataException>(() => Read(new ZstandardStream(new MemoryStream("no Zstandard at all"u8.ToArray()))));
    }

    [Fact]
    public async Task P19_a_window_that_would_need_more_memory_than_every_decoder_must_have_is_refused()
    {
        var plain = RandomBytes(new Random(1), 20 << 20);

        (await Read(new ZstandardStream(new MemoryStream(ZstandardPacker.Pack(plain, windowLog: 23))))).ShouldBe(plain);
        await Should.ThrowAsync<InvalidDataException>(() => Read(new ZstandardStream(new MemoryStream(ZstandardPacker.Pack(plain, windowLog: 24)))));
    }

    static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    static async Task<byte[]> Read(Stream stream, Random? room = null)
    {
        await using var owned = stream;
        var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await stream.ReadAsync(buffer.AsMemory(0, room?.Next(1, 5_000) ?? buffer.Length), Token) is var read and > 0)
            all.Write(buffer.AsSpan(0, read));
        return all.ToArray();
    }

    /// <summary>Gives its bytes in pieces of any size.</summary>
    sealed class CutStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
            base.ReadAsync(destination[..Math.Min(destination.Length, random.Next(1, 3_000))], cancellationToken);
    }
}
