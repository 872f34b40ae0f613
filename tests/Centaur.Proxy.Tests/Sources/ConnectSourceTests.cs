using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Sources;

public sealed class ConnectSourceTests
{
    const string ItemId = "2fcbqwe9ndg175zg2dzwftvkpa";

    const string Item = """
        {"id":"2fcbqwe9ndg175zg2dzwftvkpa","title":"Billing","vault":{"id":"ftz4pm2xxwmwrsd7rjqn7grzfz"},
         "sections":[{"id":"s1","label":"Staging"},{"id":"s2","label":"Live"}],
         "fields":[
           {"id":"password","type":"CONCEALED","label":"password","value":"pw-1"},
           {"id":"f1","type":"CONCEALED","label":"token","value":"staging-token","section":{"id":"s1"}},
           {"id":"f2","type":"CONCEALED","label":"token","value":"live-token","section":{"id":"s2"}},
           {"id":"f3","type":"STRING","label":"empty"},
           {"id":"f4","type":"STRING","label":"json","value":"{\"key\":\"inner\"}"}]}
        """;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("op://Production/Billing/password", "pw-1")]
    [InlineData("op://Production/Billing/PASSWORD", "pw-1")]
    [InlineData("op://Production/Billing/Live/token", "live-token")]
    [InlineData("op://Production/Billing/s1/token", "staging-token")]
    [InlineData("op://Production/Billing/f2", "live-token")]
    [InlineData("op://ftz4pm2xxwmwrsd7rjqn7grzfz/2fcbqwe9ndg175zg2dzwftvkpa/password", "pw-1")]
    public async Task A_field_is_found_by_names_and_by_ids(string reference, string value)
    {
        await using var connect = await FakeConnect.Start();
        connect.Items[ItemId] = Item;

        (await Reader(connect).Read($"1password_connect:{reference}", cancellationToken: Token)).Text().ShouldBe(value);
    }

    [Theory]
    [InlineData("op://Production/Billing/token", "2 fields of that name")]
    [InlineData("op://Production/Billing/nothing", "no such field")]
    [InlineData("op://Production/Billing/Live/password", "no such field in that section")]
    [InlineData("op://Production/Billing/empty", "is empty")]
    [InlineData("op://Production/Nothing/token", "no such item")]
    [InlineData("op://Nowhere/Billing/token", "no such vault")]
    [InlineData("op://Twin/Billing/token", "2 vaults of that name")]
    [InlineData("op://Production/cccccccccccccccccccccccccc/token", "no such item")]
    public async Task What_is_not_there_or_could_be_two_is_not_found(string reference, string said)
    {
        await using var connect = await FakeConnect.Start();
        connect.Items[ItemId] = Item;

        var answer = await Reader(connect).Read($"1password_connect:{reference}", cancellationToken: Token);

        answer.Code.ShouldBe(BrokerFailures.NotFound);
        answer.Message.ShouldContain(said);
        answer.Message.ShouldNotContain("live-token");
    }

    [Fact]
    public async Task A_member_of_a_JSON_value_is_taken()
    {
        await using var connect = await FakeConnect.Start();
        connect.Items[ItemId] = Item;

        (await Reader(connect).Read("1password_connect:op://Production/Billing/json", "key", Token)).Text().ShouldBe("inner");
        var none = await Reader(connect).Read("1password_connect:op://Production/Billing/password", "key", Token);
        none.Code.ShouldBe(BrokerFailures.NotFound);
        none.Message.ShouldNotContain("pw-1");
    }

    [Fact]
    public async Task A_refused_token_a_vault_out_of_scope_and_a_stranger_are_told_apart()
    {
        await using var connect = await FakeConnect.Start();
        await using var stranger = await SourceServer.Start(context =>
        {
            context.Response.StatusCode = 404;
            return context.Response.WriteAsync("nothing here");
        });
        var refused = await Reader(connect, token: "wrong").Read("1password_connect:op://Production/Billing/token", cancellationToken: Token);
        var outOfScope = await Reader(connect).Read($"1password_connect:op://{FakeConnect.OtherVaultId}/Billing/token", cancellationToken: Token);
        var nobody = await Reader(connect, stranger).Read("1password_connect:op://Production/Billing/token", cancellationToken: Token);

        refused.Code.ShouldBe(BrokerFailures.BrokerRefused);
        outOfScope.Code.ShouldBe(BrokerFailures.Forbidden);
        nobody.Code.ShouldBe(BrokerFailures.SourceUnavailable);
    }

    static SourceReader Reader(FakeConnect connect, SourceServer? server = null, string token = FakeConnect.Token) => SourceMaker.Reader(
        new Dictionary<string, string> { ["OP_CONNECT_TOKEN"] = token },
        $"secrets:\n  1password_connect: {{ address: '{(server ?? connect.Server).Address}', ca_file: {(server ?? connect.Server).AuthorityFile} }}\n");
}
