using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Sources;

public sealed class VaultSourceTests
{
    const string Value = "vault-value-1/+\"x";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_of_a_secret_comes_byte_for_byte()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/apps/billing"] = """{"token":"vault-value-1/+\"x","port":5432,"none":null}""";
        var reader = SourceMaker.Reader(vault.Environment);

        (await reader.Read("vault_kv:secret/apps/billing#token", cancellationToken: Token)).Text().ShouldBe(Value);
        (await reader.Read("vault_kv:secret/apps/billing#port", cancellationToken: Token)).Text().ShouldBe("5432");
        (await reader.Read("vault_kv:secret/apps/billing", "token", Token)).Text().ShouldBe(Value);
        (await reader.Read("vault_kv:secret/apps/billing#none", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.NotFound);
        (await reader.Read("vault_kv:secret/apps/billing#other", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.NotFound);
    }

    [Fact]
    public async Task A_mount_with_slashes_a_path_with_spaces_and_a_namespace_are_asked_for_as_Vault_wants_them()
    {
        await using var vault = await FakeVault.Start(space: "team-a");
        vault.Secrets["team/kv/apps/my app"] = """{"token":"t1"}""";

        (await SourceMaker.Reader(vault.Environment).Read("vault_kv:team/kv//apps/my app#token", cancellationToken: Token)).Text().ShouldBe("t1");

        vault.Server.Seen.ShouldHaveSingleItem().Target.ShouldBe("/v1/team/kv/data/apps/my%20app");
    }

    [Fact]
    public async Task A_secret_that_is_not_there_and_one_that_was_deleted_are_not_found()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/deleted"] = null;
        var reader = SourceMaker.Reader(vault.Environment);

        (await reader.Read("vault_kv:secret/missing#token", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.NotFound);
        (await reader.Read("vault_kv:secret/deleted#token", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.NotFound);
        var nowhere = await reader.Read("vault_kv:nowhere/x#token", cancellationToken: Token);
        nowhere.Code.ShouldBe(BrokerFailures.NotFound);
        nowhere.Message.ShouldContain("no key-value engine of version 2");
    }

    [Fact]
    public async Task A_403_is_told_apart_the_broker_s_token_was_refused_or_its_policy_forbids()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/mine"] = """{"token":"t1"}""";
        vault.Secrets["secret/theirs"] = """{"token":"t2"}""";
        vault.Forbidden["secret/theirs"] = true;
        var reader = SourceMaker.Reader(vault.Environment);

        var forbidden = await reader.Read("vault_kv:secret/theirs#token", cancellationToken: Token);
        vault.Tokens.Clear();
        var refused = await reader.Read("vault_kv:secret/mine#token", cancellationToken: Token);

        forbidden.Code.ShouldBe(BrokerFailures.Forbidden);
        forbidden.Message.ShouldContain("policy of the broker's own Vault token");
        refused.Code.ShouldBe(BrokerFailures.BrokerRefused);
        refused.Message.ShouldContain("refused the broker's own token");
        refused.Message.ShouldNotContain("hvs.");
    }

    [Fact]
    public async Task Vault_that_is_sealed_away_or_somebody_else_is_unavailable()
    {
        await using var vault = await FakeVault.Start();
        vault.Sealed = true;
        await using var stranger = await SourceServer.Start(context =>
        {
            context.Response.StatusCode = 404;
            return context.Response.WriteAsync("<html>not here</html>");
        });
        var away = new Dictionary<string, string>(vault.Environment) { ["VAULT_ADDR"] = "https://localhost:1" };

        (await SourceMaker.Reader(vault.Environment).Read("vault_kv:secret/x#token", cancellationToken: Token)).Message.ShouldContain("sealed");
        foreach (var environment in new[] { vault.Environment, away, Environment(stranger) })
            (await SourceMaker.Reader(environment).Read("vault_kv:secret/x#token", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.SourceUnavailable);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_gets_no_token()
    {
        await using var vault = await FakeVault.Start();
        await using var other = await FakeVault.Start();
        var environment = new Dictionary<string, string>(vault.Environment) { ["VAULT_CACERT"] = other.Server.AuthorityFile };
        var system = vault.Environment.Where(pair => pair.Key != "VAULT_CACERT").ToDictionary();

        var wrongAuthority = await SourceMaker.Reader(environment).Read("vault_kv:secret/x#token", cancellationToken: Token);
        var systemTrust = await SourceMaker.Reader(system).Read("vault_kv:secret/x#token", cancellationToken: Token);

        wrongAuthority.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        wrongAuthority.Message.ShouldContain("certificate");
        systemTrust.Message.ShouldContain("certificate");
        vault.Server.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_an_answer_without_end_is_cut_off()
    {
        await using var elsewhere = await SourceServer.Start(context => SourceServer.Json(context, 200, """{"data":{"data":{"token":"stolen"}}}"""));
        await using var redirecting = await SourceServer.Start(context =>
        {
            context.Response.Redirect(elsewhere.Address + context.Request.Path);
            return Task.CompletedTask;
        });
        await using var endless = await SourceServer.Start(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.WriteAsync(new string('x', 65536), context.RequestAborted);
        });

        (await SourceMaker.Reader(Environment(redirecting)).Read("vault_kv:secret/x#token", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.SourceUnavailable);
        (await SourceMaker.Reader(Environment(endless)).Read("vault_kv:secret/x#token", cancellationToken: Token)).Message.ShouldContain("answers more than");
        elsewhere.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        await using var silent = await SourceServer.Start(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        var pem = await File.ReadAllTextAsync(silent.AuthorityFile, Token);
        var authority = new System.Security.Cryptography.X509Certificates.X509Certificate2Collection();
        authority.ImportFromPem(pem);
        using var http = new SourceHttp(new Uri(silent.Address), authority, TimeSpan.FromMilliseconds(200));

        var answer = await new VaultSource(http, SourceToken.OfVariable("VAULT_TOKEN", "t"), null).Read("secret/x#token", Token);

        answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        answer.Message.ShouldContain("did not answer within");
    }

    [Fact]
    public async Task A_token_file_that_is_replaced_is_used_from_the_next_reading_on()
    {
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/x"] = """{"token":"t1"}""";
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "hvs.broker-token-1\n", Token);
            var settings = $"secrets:\n  vault_kv: {{ address: '{vault.Server.Address}', ca_file: {vault.Server.AuthorityFile}, token_file: {file} }}\n";
            var reader = SourceMaker.Reader(settings: settings);
            (await reader.Read("vault_kv:secret/x#token", cancellationToken: Token)).Text().ShouldBe("t1");

            vault.Tokens.Clear();
            vault.Tokens["hvs.second"] = "broker";
            (await reader.Read("vault_kv:secret/x#token", cancellationToken: Token)).Code.ShouldBe(BrokerFailures.BrokerRefused);
            await File.WriteAllTextAsync(file, "hvs.second\n", Token);
            (await reader.Read("vault_kv:secret/x#token", cancellationToken: Token)).Text().ShouldBe("t1");

            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
            SourceMaker.Refusal(settings).ShouldContain("0600");
        }
        finally
        {
            File.Delete(file);
        }
    }

    static Dictionary<string, string> Environment(SourceServer server) => new()
    {
        ["VAULT_ADDR"] = server.Address, ["VAULT_CACERT"] = server.AuthorityFile, ["VAULT_TOKEN"] = "hvs.broker-token-1",
    };
}
