using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Broker;

public sealed class BrokerTests
{
    const string Ticket = "ticket-fedcba9876543210";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_value_comes_byte_for_byte_without_its_last_line_feed()
    {
        await using var broker = await BrokerProcess.Start();
        broker.SetSecret("A", " spaced \nvalue\n");
        await broker.Grant("s1", Ticket, "A");
        using var proxy = await broker.Open(Ticket);

        var value = (await BrokerProcess.Ask(proxy, new FetchSecret(7, "A"))).ShouldBeOfType<SecretValue>();

        value.Id.ShouldBe(7);
        value.MaxAgeSeconds.ShouldBeInRange(1, 60);
        Encoding.UTF8.GetString(Convert.FromBase64String(value.Value)).ShouldBe(" spaced \nvalue\n");
    }

    [Fact]
    public async Task A_variable_of_the_broker_s_own_environment_is_a_source()
    {
        await using var broker = await BrokerProcess.Start(environment: new Dictionary<string, string> { ["BROKER_TEST_KEY"] = "from-env" });
        await broker.Control(new GrantSecrets("s1", Ticket, [new GrantedSecret("E", new SecretSource(SecretSourceTypes.Environment, "BROKER_TEST_KEY"))]));
        using var proxy = await broker.Open(Ticket);

        var value = (await BrokerProcess.Ask(proxy, new FetchSecret(1, "E"))).ShouldBeOfType<SecretValue>();

        Encoding.UTF8.GetString(Convert.FromBase64String(value.Value)).ShouldBe("from-env");
    }

    [Fact]
    public async Task Nothing_is_handed_out_beyond_the_grant()
    {
        await using var broker = await BrokerProcess.Start();
        broker.SetSecret("A", "value-a");
        broker.SetSecret("B", "value-b");
        await broker.Grant("s1", Ticket, "A", "MISSING", "../escape");
        await broker.Grant("s2", "ticket-of-another-1", "B");
        using var proxy = await broker.Open(Ticket);

        Code(await BrokerProcess.Ask(proxy, new FetchSecret(1, "B"))).ShouldBe(BrokerFailures.NotGranted);
        Code(await BrokerProcess.Ask(proxy, new FetchSecret(2, "MISSING"))).ShouldBe(BrokerFailures.NotFound);
        Code(await BrokerProcess.Ask(proxy, new FetchSecret(3, "../escape"))).ShouldBe(BrokerFailures.NotFound);
        using var stranger = await BrokerProcess.Connect(broker.FetchSocket);
        Code(await BrokerProcess.Ask(stranger, new OpenGrant("ticket-that-nobody-made"))).ShouldBe(BrokerFailures.UnknownTicket);
        using var eager = await BrokerProcess.Connect(broker.FetchSocket);
        Code(await BrokerProcess.Ask(eager, new FetchSecret(1, "A"))).ShouldBe(BrokerFailures.Malformed);
    }

    [Fact]
    public async Task F36_a_file_that_others_can_read_is_refused_and_no_value_is_in_the_log()
    {
        await using var broker = await BrokerProcess.Start();
        broker.SetSecret("A", "value-in-the-open", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await broker.Grant("s1", Ticket, "A");
        using var proxy = await broker.Open(Ticket);

        Code(await BrokerProcess.Ask(proxy, new FetchSecret(1, "A"))).ShouldBe(BrokerFailures.Forbidden);

        broker.Errors.ShouldNotContain("value-in-the-open");
        broker.Errors.ShouldNotContain(Ticket);
    }

    [Fact]
    public async Task F38_a_revoked_grant_is_told_to_its_proxy_and_its_ticket_is_worth_nothing()
    {
        await using var broker = await BrokerProcess.Start();
        broker.SetSecret("A", "value-a");
        await broker.Grant("s1", Ticket, "A");
        using var proxy = await broker.Open(Ticket);

        (await broker.Control(new RevokeGrant("s1"))).ShouldBe(new BrokerDone());

        (await BrokerProcess.Next(proxy)).ShouldBe(new SecretRevoked("A"));
        await Should.ThrowAsync<EndOfStreamException>(() => BrokerProcess.Next(proxy));
        using var again = await BrokerProcess.Connect(broker.FetchSocket);
        Code(await BrokerProcess.Ask(again, new OpenGrant(Ticket))).ShouldBe(BrokerFailures.UnknownTicket);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task P30_An_answer_under_way_ends_when_the_key_that_it_was_asked_with_is_revoked(string version)
    {
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.WriteAsync("begun", Token);
            await context.Response.Body.FlushAsync(Token);
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin));
        using var client = keyed.Proxy.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/") { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {TestPolicy.Placeholder}");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await using var stream = await answer.Content.ReadAsStreamAsync(Token);
        await stream.ReadExactlyAsync(new byte["begun".Length], Token);

        await keyed.Broker.Control(new RevokeGrant("sbx-test"));

        await Should.ThrowAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1], Token));
        (await keyed.Proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("secret_revoked");
    }

    [Fact]
    public async Task F38_a_proxy_whose_grant_is_revoked_refuses_the_next_request_and_says_that_its_broker_is_gone()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);
        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await keyed.Broker.Control(new RevokeGrant("sbx-test"));
        (await keyed.Proxy.NextNotice()).ShouldBe(new ProxyBrokerLost());
        using var refused = await client.GetAsync("https://api.vendor.test/", Token);

        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.GetValues("X-Centaur-Denied").ShouldBe(["secret_unavailable"]);
    }

    [Fact]
    public async Task F38_a_rotated_value_is_used_once_the_old_one_has_aged()
    {
        var keys = new List<string>();
        await using var keyed = await KeyedProxy.Start(
            await Origin.Start(context =>
            {
                keys.Add(context.Request.Headers["X-Api-Key"].ToString());
                return Task.CompletedTask;
            }),
            key: "first-value-1234", ttlSeconds: 1);
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("X-Api-Key", TestPolicy.Placeholder);
        await client.GetAsync("https://api.vendor.test/", Token);

        keyed.Broker.SetSecret(TestPolicy.SecretName, "second-value-5678");
        while (keys[^1] != "second-value-5678")
        {
            await Task.Delay(50, Token);
            await client.GetAsync("https://api.vendor.test/", Token);
        }

        keys[0].ShouldBe("first-value-1234");
    }

    [Fact]
    public async Task A_broker_that_died_is_replaced_by_handing_over_a_new_connection()
    {
        await using var keyed = await KeyedProxy.Start(await Origin.StartStrict());
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer " + TestPolicy.Placeholder);

        await keyed.Broker.Restart();
        (await keyed.Proxy.NextNotice()).ShouldBe(new ProxyBrokerLost());
        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await keyed.Broker.Grant("sbx-test", KeyedProxy.Ticket, TestPolicy.SecretName);
        using (var connection = await keyed.Broker.Open(KeyedProxy.Ticket))
            keyed.Proxy.HandOver(connection);
        await keyed.Proxy.Enforce(TestPolicy.WithKey(keyed.Origin));

        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task As_root_it_becomes_the_given_user_and_only_root_and_its_starter_may_grant()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        await using var broker = await BrokerProcess.Start(user: 65432);

        var status = await File.ReadAllTextAsync($"/proc/{broker.Process.Id}/status", Token);

        status.ShouldContain("Uid:\t65432\t65432\t65432\t65432");
        status.ShouldContain("Groups:\t \n");
        (await broker.Grant("s1", Ticket)).ShouldBe(new BrokerDone());
        File.GetUnixFileMode(broker.ControlSocket).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_process_of_another_user_may_not_grant_even_where_it_reaches_the_control_socket()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        await using var broker = await BrokerProcess.Start(user: 65432);
        File.SetUnixFileMode(Path.GetDirectoryName(broker.ControlSocket)!, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(broker.ControlSocket, (UnixFileMode)0b110_110_110);
        const string ask = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode()+b'\\n'); print(s.recv(65536).decode())";
        var grant = JsonSerializer.Serialize<BrokerRequest>(new GrantSecrets("s1", Ticket, []), ProtocolJson.Default.BrokerRequest);

        using var stranger = Process.Start(new ProcessStartInfo(
            "setpriv", ["--reuid=65431", "--regid=65431", "--clear-groups", "env", "PATH=/usr/bin:/bin", "python3", "-c", ask, broker.ControlSocket, grant]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var answer = await stranger.StandardOutput.ReadToEndAsync(Token);
        await stranger.WaitForExitAsync(Token);

        answer.ShouldContain(BrokerFailures.Forbidden);
        broker.Errors.ShouldContain("uid 65431");
        await Should.ThrowAsync<InvalidOperationException>(() => broker.Open(Ticket));
    }

    static string Code(BrokerReply reply) => reply.ShouldBeOfType<BrokerFailed>().Code;
}
