using System.Text.Json;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>Who gets in: the client at the proxy, and the proxy at its upstream.</summary>
public sealed class LoginTests(SecuredPostgres server)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("app", "shop", "")]
    [InlineData("app", "shop", "?sslmode=require")]
    [InlineData("app", "shop", "?sslmode=verify-ca")]
    [InlineData("app", "shop", "?sslmode=verify-full")]
    [InlineData("app_md5", "shop_md5", "")]
    [InlineData("app_clear", "shop_clear", "?sslmode=verify-ca")]
    [InlineData("app_plain", "shop_plain", "?sslmode=disable")]
    public async Task The_proxy_enters_in_every_way_that_a_server_asks_for(string user, string database, string more)
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, database, DatabaseProxy.Dsn(user, database, more), Token);

        (await Ask(proxy, database)).ShouldBe(user);
    }

    [Fact]
    public async Task A_list_of_pairs_is_a_DSN_too()
    {
        var password = SecuredPostgres.RealPassword.Replace("'", "\\'", StringComparison.Ordinal);
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", $"host={SecuredPostgres.Host} user = app password='{password}' dbname=shop", Token);

        (await Ask(proxy, "shop")).ShouldBe("app");
    }

    [Theory]
    [InlineData("app", "shop", "untrusted.test", "", "08006", "is not trusted")]
    [InlineData("app", "shop", "misnamed.test", "", "08006", "is not trusted")]
    [InlineData("app", "shop", "127.0.0.1", "?sslmode=disable", "08006", "destination_ip_prohibited")]
    [InlineData("nobody", "shop", SecuredPostgres.Host, "", "28000", "did not let the proxy in")]
    [InlineData("app", "elsewhere", SecuredPostgres.Host, "", "3D000", "names another database")]
    [InlineData("app", "shop", SecuredPostgres.Host, "?sslmode=prefer", "08006", "not valid")]
    [InlineData("app", "shop", SecuredPostgres.Host, "?sslmod=require", "08006", "not valid")]
    public async Task An_upstream_that_is_not_what_it_should_be_is_not_used(string user, string database, string host, string more, string state, string said)
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn(user, database, more, host), Token);

        var fault = await Should.ThrowAsync<PostgresException>(() => Ask(proxy, "shop"));

        fault.SqlState.ShouldBe(state);
        fault.MessageText.ShouldContain(said);
        HoldsNoPassword(fault.ToString() + proxy.Log + proxy.Audit);
    }

    [Theory]
    [InlineData("agent", "wrong", "shop", "28P01")]
    [InlineData("someone", DatabaseProxy.ClientPassword, "shop", "28000")]
    [InlineData("agent", DatabaseProxy.ClientPassword, "unknown", "3D000")]
    [InlineData("agent", SecuredPostgres.RealPassword, "shop", "28P01")]
    public async Task A_client_proves_its_own_name_and_password(string user, string password, string database, string state)
    {
        foreach (var more in new[] { "", ", auth: password" })
        {
            await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token, more);
            var builder = new NpgsqlConnectionStringBuilder(proxy.ConnectionString(database, "Pooling=false")) { Username = user, Password = password };
            await using var connection = new NpgsqlConnection(builder.ConnectionString);

            (await Should.ThrowAsync<PostgresException>(() => connection.OpenAsync(Token))).SqlState.ShouldBe(state);
            (await Ask(proxy, "shop")).ShouldBe("app");
        }
    }

    [Fact]
    public async Task Every_session_and_every_refusal_is_in_the_audit_without_the_text_or_a_password()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        var (_, output, error) = await proxy.Psql("shop", "select 'said-in-private' from items limit 1;\nset role other;\nselect 1/0;\n\\echo :HOST\n", Token);

        var records = await proxy.Stop(Token);

        records.Select(record => record.GetProperty("kind").GetString()).ShouldBe(["intent", "refusal", "outcome"]);
        var (intent, refusal, outcome) = (records[0], records[1], records[2]);
        Text(intent, "host").ShouldBe(SecuredPostgres.Host);
        Text(intent, "method").ShouldBe("POSTGRES");
        Text(intent, "path").ShouldBe("/shop");
        Text(refusal, "id").ShouldBe(Text(intent, "id"));
        Text(refusal, "statement").ShouldBe("set");
        Text(refusal, "cause").ShouldBe("role");
        Text(refusal, "sqlstate").ShouldBe("42501");
        outcome.GetProperty("queries").GetInt64().ShouldBe(3);
        outcome.GetProperty("refused").GetInt64().ShouldBe(1);
        outcome.GetProperty("statements").GetProperty("select").GetInt64().ShouldBe(2);
        outcome.GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(0);
        proxy.Audit.ShouldNotContain("said-in-private");
        HoldsNoPassword(proxy.Audit + proxy.Log + output + error);
        proxy.Audit.ShouldNotContain(DatabaseProxy.ClientPassword);
    }

    static string? Text(JsonElement record, string name) => record.GetProperty(name).GetString();

    static void HoldsNoPassword(string text)
    {
        text.ShouldNotContain(SecuredPostgres.RealPassword);
        text.ShouldNotContain(Uri.EscapeDataString(SecuredPostgres.RealPassword));
    }

    static async Task<string> Ask(DatabaseProxy proxy, string database)
    {
        await using var connection = new NpgsqlConnection(proxy.ConnectionString(database, "Pooling=false"));
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand("select current_user::text", connection);
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }
}
