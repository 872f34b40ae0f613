using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;
using Xunit;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A real <c>centaur-proxy broker</c> with a secrets folder of its own.</summary>
sealed class BrokerProcess : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-broker-");
    readonly ConcurrentQueue<string> errors = new();
    Process process = null!;

    public string SecretsFolder => Path.Combine(folder.FullName, "secrets");

    public string ConfigFile => Path.Combine(folder.FullName, "centaur.yaml");

    public string ControlSocket => Path.Combine(folder.FullName, "control.sock");

    public string FetchSocket => Path.Combine(folder.FullName, "fetch.sock");

    public string Errors => string.Join('\n', errors);

    public Process Process => process;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<BrokerProcess> Start(int? user = null, int ttlSeconds = 60, IReadOnlyDictionary<string, string>? environment = null, string? settings = null)
    {
        var broker = new BrokerProcess();
        Directory.CreateDirectory(broker.SecretsFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (settings is not null)
            await File.WriteAllTextAsync(broker.ConfigFile, settings, Token);
        await broker.Launch(user, ttlSeconds, environment);
        return broker;
    }

    public async Task Restart()
    {
        process.Kill();
        await process.WaitForExitAsync(Token);
        process.Dispose();
        await Launch(null, 60, null);
    }

    public void SetSecret(string name, string value, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var path = Path.Combine(SecretsFolder, name);
        File.WriteAllText(path, value + "\n");
        File.SetUnixFileMode(path, mode);
    }

    public async Task<BrokerReply> Control(BrokerRequest request)
    {
        using var socket = await Connect(ControlSocket);
        return await Ask(socket, request);
    }

    public Task<BrokerReply> Grant(string sandbox, string ticket, params string[] names) =>
        Control(new GrantSecrets(sandbox, ticket, [.. names.Select(name => new GrantedSecret(name, new SecretSource(SecretSourceTypes.File)))]));

    /// <summary>Grants one secret of the given source, and opens the connection of its proxy.</summary>
    public async Task<Socket> OpenWith(string source, string? jsonKey = null)
    {
        const string ticket = "ticket-of-one-secret";
        await Control(new GrantSecrets("s1", ticket, [new GrantedSecret("A", SourceForm.Read(source) with { JsonKey = jsonKey })]));
        return await Open(ticket);
    }

    /// <summary>What a keeper does: connects, sends the ticket, reads the answer.</summary>
    public async Task<Socket> Open(string ticket)
    {
        var socket = await Connect(FetchSocket);
        var reply = await Ask(socket, new OpenGrant(ticket));
        return reply is BrokerDone ? socket : throw new InvalidOperationException(reply.ToString());
    }

    public static async Task<Socket> Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Token);
        return socket;
    }

    public static async Task<BrokerReply> Ask(Socket socket, BrokerRequest request)
    {
        var stream = new NetworkStream(socket, ownsSocket: false);
        using var writer = new LineWriter(stream);
        await writer.Write(request, ProtocolJson.Default.BrokerRequest, Token);
        return await Next(socket);
    }

    /// <summary>The next reply, read byte by byte so that nothing behind it is taken.</summary>
    public static async Task<BrokerReply> Next(Socket socket)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (true)
        {
            if (await socket.ReceiveAsync(one, Token) == 0)
                throw new EndOfStreamException();
            if (one[0] == '\n')
                return JsonSerializer.Deserialize(line.ToArray(), ProtocolJson.Default.BrokerReply)!;
            line.Add(one[0]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        folder.Delete(recursive: true);
    }

    async Task Launch(int? user, int ttlSeconds, IReadOnlyDictionary<string, string>? environment)
    {
        List<string> arguments =
        [
            "broker", "--secrets-folder", SecretsFolder, "--control-socket", ControlSocket, "--fetch-socket", FetchSocket,
            "--ttl", ttlSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ];
        if (File.Exists(ConfigFile))
            arguments.AddRange(["--config", ConfigFile]);
        if (user is { } uid)
            arguments.AddRange(["--user", uid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        process = ProxyProgram.Start(arguments, environment: environment);
        var listening = new TaskCompletionSource();
        process.ErrorDataReceived += (_, line) =>
        {
            errors.Enqueue(line.Data ?? "");
            if (line.Data is null || line.Data.Contains("listens on", StringComparison.Ordinal))
                listening.TrySetResult();
        };
        process.BeginErrorReadLine();
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }
}
