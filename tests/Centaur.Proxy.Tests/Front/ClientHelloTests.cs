using System.Net.Security;
using Centaur.Proxy.Front;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Front;

public sealed class ClientHelloTests
{
    [Theory]
    [InlineData("api.vendor.test")]
    [InlineData("a.b")]
    public void The_name_is_read_from_a_real_hello(string host) => ClientHello.Read(Hello(host)).ShouldBe(new ClientHello(HelloState.Whole, host));

    [Fact]
    public void A_hello_for_an_address_has_no_name() => ClientHello.Read(Hello("192.0.2.1")).ShouldBe(new ClientHello(HelloState.Whole, ""));

    [Fact]
    public void Any_beginning_of_it_is_partial()
    {
        var hello = Hello("api.vendor.test");

        for (var length = 0; length < hello.Length; length++)
            ClientHello.Read(hello.AsSpan(0, length)).State.ShouldBe(HelloState.Partial, $"{length} of {hello.Length} bytes");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void It_may_be_spread_over_records(int size)
    {
        var message = Hello("api.vendor.test").AsSpan(5).ToArray();
        var records = message.Chunk(size).SelectMany(piece => (byte[])[22, 3, 1, (byte)(piece.Length >> 8), (byte)piece.Length, .. piece]).ToArray();

        ClientHello.Read(records).ShouldBe(new ClientHello(HelloState.Whole, "api.vendor.test"));
    }

    [Fact]
    public void A_name_that_stands_there_twice_is_refused()
    {
        byte[] name = [0, 0, 0, 6, 0, 4, 0, 0, 1, (byte)'a'];

        ClientHello.Read(Made(name)).ShouldBe(new ClientHello(HelloState.Whole, "a"));
        ClientHello.Read(Made([.. name, .. name])).State.ShouldBe(HelloState.Broken);
        ClientHello.Read(Made([0, 0, 0, 10, 0, 8, 0, 0, 1, (byte)'a', 0, 0, 1, (byte)'b'])).State.ShouldBe(HelloState.Broken);
    }

    [Fact]
    public void No_change_of_a_byte_is_read_past_its_end()
    {
        var hello = Hello("api.vendor.test");
        for (var at = 0; at < hello.Length; at++)
        {
            foreach (var value in new byte[] { 0, 1, 0x7F, 0xFF })
            {
                var changed = hello.ToArray();
                changed[at] = value;
                Should.NotThrow(() => ClientHello.Read(changed));
            }
        }
    }

    /// <summary>The first message of the runtime's own TLS client.</summary>
    internal static byte[] Hello(string host)
    {
        using var said = new Recorder();
        using var tls = new SslStream(said);
        Should.Throw<Exception>(() => tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = host }));
        return said.ToArray();
    }

    static byte[] Made(byte[] extensions)
    {
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0, (byte)(extensions.Length >> 8), (byte)extensions.Length, .. extensions];
        byte[] message = [1, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body];
        return [22, 3, 1, (byte)(message.Length >> 8), (byte)message.Length, .. message];
    }

    /// <summary>Keeps what is written; nobody answers.</summary>
    sealed class Recorder : MemoryStream
    {
        public override int Read(Span<byte> buffer) => 0;

        public override int Read(byte[] buffer, int offset, int count) => 0;
    }
}
