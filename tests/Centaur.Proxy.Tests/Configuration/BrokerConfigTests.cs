using Centaur.Protocol.Broker;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

public sealed class BrokerConfigTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("secrets: { vault_kv: { adress: 'https://v.test' } }", "line 1", "did you mean \"address\"")]
    [InlineData("secrets: { vaultkv: { address: 'https://v.test' } }", "no key \"vaultkv\"", "did you mean \"vault_kv\"")]
    [InlineData("listen: { api: off }\nsecrets:\n  vault_kv: { token_file: /x }", "line 3", "needs an address", "VAULT_ADDR")]
    [InlineData("secrets: { vault_kv: { address: 'https://v.test' } }", "needs a token", "VAULT_TOKEN")]
    [InlineData("secrets: { vault_kv: { address: 'http://v.test:8200' } }", "in the clear")]
    [InlineData("secrets: { vault_kv: { address: 'v.test:8200' } }", "is not an address such as https://")]
    [InlineData("secrets: { vault_kv: { address: 'https://v.test', ca_file: /nowhere/ca.pem } }", "/nowhere/ca.pem cannot be read")]
    [InlineData("secrets: { vault_kv: { address: 'https://v.test', token_file: /nowhere/token } }", "/nowhere/token cannot be read")]
    [InlineData("secrets: { 1password: { program: op } }", "needs a token", "OP_SERVICE_ACCOUNT_TOKEN")]
    [InlineData("secrets: { kubernetes: { folder: relative } }", "name its folder")]
    [InlineData("secrets: [a]", "must hold keys")]
    public void What_is_wrong_stops_the_start_and_is_said(string settings, params string[] said)
    {
        var message = SourceMaker.Refusal(settings);

        foreach (var part in said)
            message.ShouldContain(part);
    }

    [Theory]
    [InlineData("vault_kv:secret/x#y", "VAULT_ADDR")]
    [InlineData("1password:op://a/b/c", "OP_SERVICE_ACCOUNT_TOKEN")]
    [InlineData("1password_connect:op://a/b/c", "OP_CONNECT_HOST")]
    [InlineData("kubernetes:key", "secrets.kubernetes.folder")]
    public async Task A_source_that_is_not_set_up_says_what_is_missing(string source, string said)
    {
        var answer = await SourceMaker.Reader().Read(source, cancellationToken: Token);

        answer.Code.ShouldBe(BrokerFailures.SourceUnavailable);
        answer.Message.ShouldContain(said);
    }

    [Fact]
    public async Task A_variable_that_is_there_for_other_programs_stops_nothing()
    {
        var reader = SourceMaker.Reader(new Dictionary<string, string> { ["VAULT_ADDR"] = "http://v.test:8200" });

        (await reader.Read("vault_kv:secret/x#y", cancellationToken: Token)).Message.ShouldContain("in the clear");
    }
}
