using Centaur.Protocol.Broker;
using Shouldly;
using Xunit;

namespace Centaur.Protocol.Tests;

public sealed class SourceFormTests
{
    [Theory]
    [InlineData("file")]
    [InlineData("file:ACME_TOKEN")]
    [InlineData("env")]
    [InlineData("env:ACME_TOKEN")]
    [InlineData("vault_kv:secret/apps/billing#token")]
    [InlineData("vault_kv:secret/apps/billing")]
    [InlineData("vault_kv:team/kv//apps/billing#a.b c")]
    [InlineData("1password:op://Production/Billing/token")]
    [InlineData("1password_connect:op://My vault/ftz4pm2xxwmwrsd7rjqn7grzfz/section 1/field_2")]
    [InlineData("kubernetes:tls.key")]
    public void What_is_a_source_is_taken_and_written_as_it_was(string text)
    {
        var source = SourceForm.Read(text);

        SourceForm.Problem(source).ShouldBeNull();
        SourceForm.Write(source).ShouldBe(text);
    }

    [Theory]
    [InlineData("shell:rm", "known: file, env")]
    [InlineData("file:../escape", "file:ACME_TOKEN")]
    [InlineData("file:.hidden", "file:ACME_TOKEN")]
    [InlineData("env:A B", "env:ACME_TOKEN")]
    [InlineData("env:OP_SERVICE_ACCOUNT_TOKEN", "can never be granted")]
    [InlineData("vault_kv", "vault_kv:secret/apps/billing#token")]
    [InlineData("vault_kv:secret", "vault_kv:secret/apps/billing#token")]
    [InlineData("vault_kv:/apps#a", "is no place in Vault")]
    [InlineData("vault_kv:secret/#a", "is no place in Vault")]
    [InlineData("vault_kv:secret/a/../b#a", "is no place in Vault")]
    [InlineData("vault_kv:secret/a#", "is no place in Vault")]
    [InlineData("vault_kv:a//b//c#d", "is no place in Vault")]
    [InlineData("1password:op://a/b", "1password:op://Production/Billing/token")]
    [InlineData("1password:op://a/b/c/d/e", "is no place in 1Password")]
    [InlineData("1password:op://a/b/c?attribute=otp", "is no place in 1Password")]
    [InlineData("1password_connect:op://a/\"or\"/c", "1password_connect:op://Production/Billing/token")]
    [InlineData("kubernetes:..data", "kubernetes:billing-token")]
    [InlineData("kubernetes", "is no key of a Secret")]
    public void What_is_none_is_answered_with_a_sentence_that_shows_one(string text, string said) =>
        SourceForm.Problem(SourceForm.Read(text)).ShouldNotBeNull().ShouldContain(said);

    [Fact]
    public void A_key_of_Vault_and_a_json_key_are_one_too_many() =>
        SourceForm.Problem(SourceForm.Read("vault_kv:secret/a#b") with { JsonKey = "c" }).ShouldNotBeNull().ShouldContain("either #key or json_key");

    [Theory]
    [InlineData("https://vault.example.com:8200", true)]
    [InlineData("http://127.0.0.1:8200", true)]
    [InlineData("http://localhost", true)]
    [InlineData("http://vault.example.com", false)]
    [InlineData("https://user:password@vault.example.com", false)]
    [InlineData("vault.example.com:8200", false)]
    [InlineData("ftp://vault.example.com", false)]
    public void A_token_goes_over_TLS_or_stays_on_this_machine(string address, bool taken) => (SourceForm.AddressProblem(address) is null).ShouldBe(taken);
}
