using System.Net.Http.Json;
using System.Text.Json;
using Centaur.Proxy.Tests.Postgres;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress;

/// <summary>What an operator wrote down for sandboxes, as an agent meets it from inside of its jail.</summary>
public sealed class PolicyTests(GovernedInstallation installation) : IClassFixture<GovernedInstallation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_jail_uses_minted_and_injected_credentials_of_which_it_holds_nothing()
    {
        var conversation = new Conversation(installation, "built-in");

        var said = await Run(
            conversation,
            "curl -sS -H 'Authorization: Bearer of-the-agent' https://api.acme.test/tickets; curl -sS https://api.acme.test/keyed; curl -sS -o /dev/null -w '%{http_code}\\n' https://api.acme.test/other; "
            + "curl -sS -d grant_type=client_credentials https://login.acme.test/oauth/token; echo; curl -sS -o /dev/null -w '%{http_code}\\n' https://login.acme.test/users; env | grep -c ACME");

        said.ShouldContain("tickets for Bearer centaur-hidden-egress.oauth_token-0-");
        said.ShouldContain("keyed by centaur-hidden-ACME_KEY");
        said.ShouldContain("centaur-proxy-stub-token");
        // The map opens the hosts; what no rule covers leaves without a credential.
        said.Split('\n').Count(line => line == "401").ShouldBe(2);
        said.Split('\n').ShouldContain("0");
        installation.Acme.Credentials.ShouldAllBe(credential => !said.Contains(credential));

        var records = await Records(conversation);
        var ticket = records.Single(record => Text(record, "path") == "/tickets" && Text(record, "kind") == "intent");
        (Text(ticket, "rule"), ticket.GetProperty("secrets").EnumerateArray().Single().GetString()).ShouldBe(("egress.oauth_token[0]", "ACME_CLIENT_SECRET"));
        records.Single(record => Text(record, "path") == "/keyed").GetProperty("secrets").EnumerateArray().Single().GetString().ShouldBe("ACME_KEY");
        installation.Acme.Credentials.ShouldAllBe(credential => !JsonSerializer.Serialize(records).Contains(credential));
    }

    [Fact]
    public async Task Psql_in_a_jail_reads_a_database_whose_password_it_cannot_know()
    {
        var conversation = new Conversation(installation, "built-in");
        var psql = $"{SecuredPostgres.Bin}/psql -XAt \"$SHOP_DSN\"";

        var said = await Run(conversation, $"{psql} -c 'select current_user, count(*) from items group by 1' -c 'show app.tenant'; {psql} -c 'set role other' 2>&1; {psql.Replace("$SHOP_DSN", "$(echo $SHOP_DSN | sed s,/shop,/postgres,)", StringComparison.Ordinal)} -c 'select 1' 2>&1; echo $SHOP_DSN");

        said.ShouldContain("reader|1000\n7\n");
        said.ShouldContain("The role of this session");
        said.ShouldContain("There is no such database here");
        said.ShouldContain("@postgres.centaur.internal:5432/shop");
        said.ShouldNotContain(SecuredPostgres.RealPassword);
        said.ShouldNotContain(Uri.EscapeDataString(SecuredPostgres.RealPassword));

        var records = await Records(conversation);
        var session = records.First(record => Text(record, "method") == "POSTGRES" && Text(record, "kind") == "intent");
        (Text(session, "host"), Text(session, "path"), Text(session, "rule"), session.GetProperty("secrets").EnumerateArray().Single().GetString()).ShouldBe((SecuredPostgres.Host, "/shop", "postgres", "SHOP_DSN"));
        records.Count(record => Text(record, "kind") == "refusal" && Text(record, "method") == "POSTGRES").ShouldBe(2);
        (await installation.Cli(["egress", "show", "--thread", conversation.ThreadKey], null, Cancellation)).Succeeded().Output.ShouldContain("POSTGRES");
    }

    [Fact]
    public async Task The_password_of_one_sandbox_is_worth_nothing_in_another()
    {
        var (one, two) = (new Conversation(installation, "built-in"), new Conversation(installation, "built-in"));
        var dsn = (await Run(one, "echo $SHOP_DSN")).Split('\n').Single(line => line.StartsWith("postgresql://", StringComparison.Ordinal)).Trim();

        var said = await Run(two, $"{SecuredPostgres.Bin}/psql -XAt '{dsn}' -c 'select 1' 2>&1");

        said.ShouldContain("The password is wrong");
    }

    [Fact]
    public async Task Status_and_doctor_say_what_is_wider_than_it_need_be()
    {
        var status = (await installation.Cli(["status"], null, Cancellation)).Succeeded().Output;
        status.ShouldContain("egress is wider than it need be (egress.allow, list:acme-docs): centaur doctor says how");

        var doctor = await installation.Cli(["doctor", "--json"], null, Cancellation);
        var check = JsonElement.Parse(doctor.Output).GetProperty("checks").EnumerateArray().Single(check => Text(check, "name") == "egress");
        (Text(check, "state"), Text(check, "found")).ShouldBe(("weak", "egress.allow, list:acme-docs"));
        Text(check, "meaning").ShouldContain("*.pages.dev");
    }

    static async Task<string> Run(Conversation conversation, string command)
    {
        var ended = await conversation.Say($"Run: {command}", Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        return ended.GetProperty("result_text").GetString()!;
    }

    /// <summary>All records of a thread, once every request has its outcome.</summary>
    async Task<List<JsonElement>> Records(Conversation conversation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var page = await installation.Http.GetFromJsonAsync<JsonElement>($"/agent/threads/{Uri.EscapeDataString(conversation.ThreadKey)}/egress?after=0&limit=500", limit.Token);
            var records = page.GetProperty("records").EnumerateArray().Select(entry => entry.GetProperty("record")).ToList();
            if (records.Count > 2 && records.Count(r => Text(r, "kind") == "intent") == records.Count(r => Text(r, "kind") == "outcome"))
                return records;
            await Task.Delay(50, limit.Token);
        }
    }

    static string Text(JsonElement record, string name) => record.TryGetProperty(name, out var value) ? value.ToString() : "";
}
