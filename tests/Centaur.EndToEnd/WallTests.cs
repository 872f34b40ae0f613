using System.Net;
using System.Net.Sockets;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>What a process in the jail can reach: the proxy and the sandbox API, and nothing else (invariant I5).</summary>
public sealed class WallTests(Installation installation) : IClassFixture<Installation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F39_F46_no_socket_of_any_kind_reaches_the_host_from_inside_and_the_same_probe_finds_them_open_outside()
    {
        await using var targets = await Targets.Open();
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var arguments = targets.Arguments(installation, conversation);

        var outside = Findings((await Programs.Run("/usr/bin/python3", [Probe, .. arguments], new Dictionary<string, string>(), null, Cancellation)).Succeeded().Output);
        var inside = Findings(await Run(conversation, $"echo {Convert.ToBase64String(await File.ReadAllBytesAsync(Probe, Cancellation))} | base64 -d | python3 - {string.Join(' ', arguments)}"));

        outside.Keys.ShouldBe(inside.Keys, ignoreOrder: true);
        outside.Where(f => f.Value != "open").Select(f => f.Key).ShouldBeEmpty("the control run sees every target open");
        inside.Where(f => f.Value == "open").Select(f => f.Key).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_that_nothing_allows_is_refused_with_a_reason_that_an_agent_can_read()
    {
        var conversation = new Conversation(installation, "built-in");

        var answer = await Run(conversation, "curl -sS -m 10 -o /dev/null -D - https://not-allowed.example/ 2>&1; curl -sS -m 10 http://not-allowed.example/ 2>&1");

        answer.ShouldContain("403");
        answer.ShouldContain("not-allowed.example");
    }

    static string Probe => Path.Combine(AppContext.BaseDirectory, "Probes", "walls.py");

    static async Task<string> Run(Conversation conversation, string command)
    {
        var ended = await conversation.Say($"Run: {command}", Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        return ended.GetProperty("result_text").GetString()!;
    }

    static Dictionary<string, string> Findings(string text) => text.Split('\n')
        .Select(line => line.Split(' ')).Where(words => words.Length >= 2 && words[1] is "open" or "closed").ToDictionary(words => words[0], words => words[1]);

    /// <summary>Listeners on the host that answer whoever reaches them.</summary>
    sealed class Targets : IAsyncDisposable
    {
        readonly List<Socket> listeners = [];
        readonly List<Task> answering = [];
        readonly string folder = Directory.CreateTempSubdirectory("centaur-walls-").FullName;
        readonly string abstractName = "centaur-walls-" + Guid.CreateVersion7().ToString("N");

        string PathSocket => Path.Combine(folder, "open.sock");

        public static Task<Targets> Open()
        {
            var targets = new Targets();
            targets.Stream(new IPEndPoint(IPAddress.Loopback, 0));
            targets.Stream(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            targets.Stream(new UnixDomainSocketEndPoint("\0" + targets.abstractName));
            targets.Stream(new UnixDomainSocketEndPoint(targets.PathSocket));
            targets.Datagram();
            return Task.FromResult(targets);
        }

        public string[] Arguments(Installation installation, Conversation conversation) =>
        [
            $"tcp4={((IPEndPoint)listeners[0].LocalEndPoint!).Port}",
            $"tcp6={((IPEndPoint)listeners[1].LocalEndPoint!).Port}",
            $"abstract={abstractName}",
            $"path={PathSocket}",
            $"udp4={((IPEndPoint)listeners[4].LocalEndPoint!).Port}",
            $"postgres={installation.Layout.PostgresSocketFolder}/.s.PGSQL.5432",
            $"broker={installation.Layout.BrokerControlSocket}",
            $"keeper={installation.Layout.SandboxesRuntime}/{SandboxProcesses.SandboxId(installation, conversation.ThreadKey)}/attach.sock",
            $"secrets={installation.Layout.SecretsFolder}",
            $"api={new Uri(installation.Server.Api).Port}",
            $"process={installation.Server.Process.Pid}",
        ];

        public async ValueTask DisposeAsync()
        {
            listeners.ForEach(l => l.Dispose());
            await Task.WhenAll(answering);
            Directory.Delete(folder, recursive: true);
        }

        void Stream(EndPoint at)
        {
            var listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(at);
            listener.Listen();
            listeners.Add(listener);
            answering.Add(Echo(listener));
        }

        void Datagram()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listeners.Add(socket);
            answering.Add(EchoDatagrams(socket));
        }

        static async Task Echo(Socket listener)
        {
            try
            {
                while (true)
                {
                    using var accepted = await listener.AcceptAsync();
                    var buffer = new byte[64];
                    var read = await accepted.ReceiveAsync(buffer);
                    await accepted.SendAsync(buffer.AsMemory(0, read));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        static async Task EchoDatagrams(Socket socket)
        {
            try
            {
                var buffer = new byte[64];
                while (true)
                {
                    var received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                    await socket.SendToAsync(buffer.AsMemory(0, received.ReceivedBytes), received.RemoteEndPoint);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
