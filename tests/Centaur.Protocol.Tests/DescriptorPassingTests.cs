using System.Net.Sockets;
using System.Text;
using Centaur.Protocol.Framing;
using Microsoft.Win32.SafeHandles;
using Shouldly;
using Xunit;

namespace Centaur.Protocol.Tests;

public sealed class DescriptorPassingTests
{
    [Fact]
    public async Task A_descriptor_arrives_open_with_the_first_byte_of_its_line()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("centaur-scm-");
        try
        {
            var path = Path.Combine(folder.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            using var sender = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await sender.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            using var receiver = await listener.AcceptAsync(cancellationToken);
            var note = Path.Combine(folder.FullName, "note");
            await File.WriteAllTextAsync(note, "read through the passed descriptor", cancellationToken);

            var handles = new List<SafeFileHandle>();
            var buffer = new byte[256];
            DescriptorPassing.Receive(receiver, buffer, handles.Add).ShouldBeNull();
            using (var file = File.OpenHandle(note))
                DescriptorPassing.Send(sender, "{\"type\":\"broker\"}\n"u8, file);
            sender.Send("{\"type\":\"policy\"}\n"u8);

            await receiver.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
            var text = new StringBuilder();
            while (DescriptorPassing.Receive(receiver, buffer, handles.Add) is { } read)
                text.Append(Encoding.UTF8.GetString(buffer.AsSpan(0, read)));

            text.ToString().ShouldBe("{\"type\":\"broker\"}\n{\"type\":\"policy\"}\n");
            using var passed = new FileStream(handles.ShouldHaveSingleItem(), FileAccess.Read);
            using var reader = new StreamReader(passed);
            (await reader.ReadToEndAsync(cancellationToken)).ShouldBe("read through the passed descriptor");
            sender.Close();
            DescriptorPassing.Receive(receiver, buffer, handles.Add).ShouldBe(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
