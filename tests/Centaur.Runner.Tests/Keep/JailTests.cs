using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep;

public sealed class JailTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F47_every_refused_system_call_is_refused_inside_and_open_outside()
    {
        const int NotPermitted = 1;
        const int NotThere = 38;
        const int FamilyNotSupported = 97;
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        using var control = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "Probes", "calls.py")]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var outside = Errors(await control.StandardOutput.ReadToEndAsync(Cancellation));
        await control.WaitForExitAsync(Cancellation);
        var inside = Errors(await worker.Run("turn-1", "python3 /opt/probes/calls.py", Cancellation));

        inside.Keys.ShouldBe(outside.Keys);
        outside.Where(call => call.Value is NotPermitted or NotThere or FamilyNotSupported).ShouldBeEmpty();
        inside.Where(call => call.Value is not (NotPermitted or NotThere or FamilyNotSupported)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Databases_have_a_name_and_an_address_of_their_own_and_the_usual_port_of_localhost_is_the_agents()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        var said = await worker.Run(
            "turn-1",
            "python3 -c \"import socket; own = socket.socket(); own.bind(('127.0.0.1', 5432)); own.listen(); print('own port'); "
            + "there = socket.create_connection(('postgres.centaur.internal', 5432)); print(there.getpeername())\"",
            Cancellation);

        said.ShouldContain("own port\n('127.0.0.2', 5432)");
    }

    [Fact]
    public async Task F47_a_process_of_the_jail_has_no_capability_no_way_to_gain_one_and_no_namespace_to_make()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        var status = await worker.Run("turn-1", "cat /proc/self/status; id -u; unshare -Ur true; echo $?; touch /usr/x /etc/x /x /opt/x /run/centaur/x 2>&1", Cancellation);

        status.ShouldContain("CapEff:\t0000000000000000");
        status.ShouldContain("CapBnd:\t0000000000000000");
        status.ShouldContain("NoNewPrivs:\t1");
        status.ShouldContain("Seccomp:\t2");
        status.Split("Read-only file system").Length.ShouldBe(6);
        status.ShouldContain("unshare failed");
    }

    [Fact]
    public async Task F37_nothing_of_the_host_is_in_the_environment_in_proc_or_in_pid_1()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        (await worker.Run("turn-1", "ls /proc | grep -c '^[0-9]'", Cancellation)).Trim().Length.ShouldBe(1);
        var environment = await worker.Run("turn-2", "env", Cancellation);
        environment.ShouldContain("HTTPS_PROXY=http://127.0.0.1:38080");
        environment.ShouldNotContain(keeper.Spec.StateFolder);
        environment.ShouldNotContain("token-1");
        (await worker.Run("turn-3", "cat /proc/1/environ; cat /proc/1/maps; ls -l /proc/1/fd; exec 3<>/proc/1/mem", Cancellation))
            .Split("Permission denied").Length.ShouldBe(5);
        (await worker.Run("turn-4", "cat /proc/cmdline | wc -c", Cancellation)).ShouldBe("0\n");
    }

    [Fact]
    public async Task The_tools_of_an_agent_run_in_the_jail()
    {
        await using var keeper = await KeeperUnderTest.Start(Cancellation);
        await using var worker = await keeper.Claim(Cancellation);

        var said = await worker.Run(
            "turn-1",
            "python3 -c 'import threading, subprocess, socket; t = threading.Thread(target=print, args=(\"thread\",)); t.start(); t.join(); print(socket.gethostbyname(\"localhost\"))'; "
            + "git init -q r && echo git; curl --version | head -c 4; echo; head -c 3 /etc/ssl/certs/ca-certificates.crt | wc -c; df --output=fstype ~ | tail -1",
            Cancellation);

        said.ShouldBe("thread\n127.0.0.1\ngit\ncurl\n3\next4\n");
    }

    [Fact]
    public async Task Call_reaches_the_API_through_the_relay_with_its_own_token_and_says_what_failed()
    {
        using var api = new TcpListener(IPAddress.Loopback, 0);
        api.Start();
        await using var keeper = await KeeperUnderTest.Start(Cancellation, spec => spec with { ApiUpstream = api.LocalEndpoint.ToString()! });
        await using var worker = await keeper.Claim(Cancellation);

        var asking = worker.Run("turn-1", "call messages", Cancellation);
        var request = await Serve(api, "200 OK", "[]");
        (await asking).ShouldBe("[]\n");
        request.ShouldStartWith("GET /agent/messages?thread_key=thread%3A1 HTTP/1.1\r\n");
        request.ShouldContain("Authorization: Bearer token-1");
        request.ShouldContain("X-Trace-Id: trace-1");
        request.ShouldContain("X-Centaur-Thread-Key: thread:1");

        var failing = worker.Run("turn-2", "call health; echo $?", Cancellation);
        await Serve(api, "503 Service Unavailable", "later");
        (await failing).ShouldBe("""{"error":"http_error","status":"503","url":"http://127.0.0.1:38000/health","body":"later"}""" + "\n1\n");
    }

    static async Task<string> Serve(TcpListener api, string status, string body)
    {
        using var client = await api.AcceptTcpClientAsync(Cancellation);
        await using var stream = client.GetStream();
        var request = new StringBuilder();
        var buffer = new byte[4096];
        while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            request.Append(Encoding.ASCII.GetString(buffer.AsSpan(0, await stream.ReadAsync(buffer, Cancellation))));
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), Cancellation);
        return request.ToString();
    }

    static SortedDictionary<string, int> Errors(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new SortedDictionary<string, int>(document.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.GetInt32()), StringComparer.Ordinal);
    }
}
