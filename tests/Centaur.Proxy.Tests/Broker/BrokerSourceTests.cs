using System.Net.Sockets;
using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Broker;

/// <summary>A whole broker process with each of its sources.</summary>
public sealed class BrokerSourceTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_reads_from_Vault_and_tells_open_connections_of_a_value_that_is_deleted_there()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/app"] = """{"token":"vault-value-1"}""";
        await using var broker = await BrokerProcess.Start(environment: vault.Environment, ttlSeconds: 1);
        using var proxy = await broker.OpenWith("vault_kv:secret/app#token");
        (await Fetch(proxy)).ShouldBe("vault-value-1");

        vault.Secrets["secret/app"] = null;

        // Nobody asks again: the broker finds out by itself.
        (await BrokerProcess.Next(proxy)).ShouldBe(new SecretRevoked("A"));
        (await Ask(proxy)).ShouldBeOfType<BrokerFailed>().Code.ShouldBe(BrokerFailures.NotFound);
        broker.Errors.ShouldNotContain("vault-value-1");
        broker.Errors.ShouldNotContain("hvs.broker-token-1");
    }

    [Fact]
    public async Task A_Vault_that_is_sealed_leaves_the_last_value_in_service_and_a_new_one_is_unavailable()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/app"] = """{"token":"vault-value-1","other":"vault-value-2"}""";
        await using var broker = await BrokerProcess.Start(environment: vault.Environment, ttlSeconds: 1);
        using var proxy = await broker.OpenWith("vault_kv:secret/app#token");
        (await Fetch(proxy)).ShouldBe("vault-value-1");

        vault.Sealed = true;
        var before = vault.Reads;
        while (vault.Reads == before)
            await Task.Delay(20, Token);

        (await Fetch(proxy)).ShouldBe("vault-value-1");
        await broker.Control(new GrantSecrets("s2", "ticket-of-the-other", [new GrantedSecret("A", SourceForm.Read("vault_kv:secret/app#other"))]));
        using var other = await broker.Open("ticket-of-the-other");
        (await Ask(other)).ShouldBeOfType<BrokerFailed>().Code.ShouldBe(BrokerFailures.SourceUnavailable);
    }

    [Fact]
    public async Task It_reads_from_1Password_Connect_as_its_settings_say()
    {
        await using var connect = await FakeConnect.Start();
        connect.Items["2fcbqwe9ndg175zg2dzwftvkpa"] = """{"id":"2fcbqwe9ndg175zg2dzwftvkpa","title":"Billing","fields":[{"id":"credential","label":"token","value":"{\"live\":\"connect-value-1\"}"}]}""";
        await using var broker = await BrokerProcess.Start(
            environment: new Dictionary<string, string> { ["OP_CONNECT_TOKEN"] = FakeConnect.Token },
            settings: $"listen: {{ api: '127.0.0.1:8000' }}\nsecrets:\n  1password_connect: {{ address: '{connect.Server.Address}', ca_file: {connect.Server.AuthorityFile} }}\n");
        using var proxy = await broker.OpenWith("1password_connect:op://Production/Billing/token", jsonKey: "live");

        (await Fetch(proxy)).ShouldBe("connect-value-1");
    }

    [Fact]
    public async Task It_runs_the_command_line_of_1Password_without_its_own_variables_and_ends_it_with_itself()
    {
        using var op = new FakeOp();
        op.Set("Production/Billing/token", "op-value-1");
        await using var broker = await BrokerProcess.Start(
            environment: new Dictionary<string, string> { ["OP_SERVICE_ACCOUNT_TOKEN"] = FakeOp.Token, ["BROKER_ONLY"] = "x" },
            settings: $"secrets: {{ 1password: {{ program: {op.Program} }} }}\n");
        using var proxy = await broker.OpenWith("1password:op://Production/Billing/token");

        (await Fetch(proxy)).ShouldBe("op-value-1");

        op.Variables.ShouldNotContain("BROKER_ONLY");
        op.Tell("hang");
        using var second = await broker.OpenWith("1password:op://Production/Billing/other");
        var asking = Ask(second);
        var child = await op.Child(Token);
        Kernel.Kill(broker.Process.Id, 15);
        await broker.Process.WaitForExitAsync(Token);
        while (File.Exists($"/proc/{child}/stat") && !(await File.ReadAllTextAsync($"/proc/{child}/stat", Token)).Contains(") Z ", StringComparison.Ordinal))
            await Task.Delay(20, Token);
        await Should.ThrowAsync<EndOfStreamException>(async () =>
        {
            await asking;
            await BrokerProcess.Next(second);
        });
    }

    [Fact]
    public async Task It_reads_a_mounted_Kubernetes_Secret_and_sees_its_rotation()
    {
        using var mounted = new KubernetesFolder();
        mounted.Write(("billing-token", "first"));
        await using var broker = await BrokerProcess.Start(settings: $"secrets: {{ kubernetes: {{ folder: {mounted.Path} }} }}\n", ttlSeconds: 1);
        using var proxy = await broker.OpenWith("kubernetes:billing-token");
        (await Fetch(proxy)).ShouldBe("first");

        mounted.Write(("billing-token", "second"));

        while (await Fetch(proxy) != "second")
            await Task.Delay(50, Token);
    }

    [Fact]
    public async Task As_root_it_reads_a_token_that_root_alone_may_read_before_it_becomes_its_own_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/app"] = """{"token":"vault-value-1"}""";
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "hvs.broker-token-1\n", Token);
            await using var broker = await BrokerProcess.Start(
                user: 65432, settings: $"secrets: {{ vault_kv: {{ address: '{vault.Server.Address}', ca_file: {vault.Server.AuthorityFile}, token_file: {file} }} }}\n");
            using var proxy = await broker.OpenWith("vault_kv:secret/app#token");

            (await Fetch(proxy)).ShouldBe("vault-value-1");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task What_it_logs_in_with_is_never_granted()
    {
        await using var vault = await FakeVault.Start();
        await using var broker = await BrokerProcess.Start(environment: vault.Environment);
        using var proxy = await broker.OpenWith("env:VAULT_TOKEN");

        (await Ask(proxy)).ShouldBeOfType<BrokerFailed>().Code.ShouldBe(BrokerFailures.Forbidden);
    }

    static Task<BrokerReply> Ask(Socket proxy) => BrokerProcess.Ask(proxy, new FetchSecret(1, "A"));

    static async Task<string> Fetch(Socket proxy) => Encoding.UTF8.GetString(Convert.FromBase64String((await Ask(proxy)).ShouldBeOfType<SecretValue>().Value));
}
