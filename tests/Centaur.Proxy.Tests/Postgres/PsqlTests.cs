using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>psql and pg_dump through the program.</summary>
public sealed class PsqlTests(SecuredPostgres server)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_has_the_role_and_the_settings_of_the_operator()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);

        var (_, output, error) = await proxy.Psql("shop", "select current_user, session_user; show timezone; show app.tenant; select count(*) from items;", Token);

        error.ShouldBeEmpty();
        output.ReplaceLineEndings("|").ShouldBe("reader|app|Asia/Tokyo|it's 7|1000|");
    }

    [Fact]
    public async Task A_refusal_fails_the_transaction_as_an_error_of_the_server_would()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);

        var (_, output, error) = await proxy.Psql("shop", "begin;\nselect 1;\nset role other;\nselect 2;\nrollback;\nselect 3;\nselect current_user;\n", Token);

        output.ReplaceLineEndings("|").ShouldBe("BEGIN|1|ROLLBACK|3|reader|");
        error.ShouldContain("42501: centaur-proxy: The role of this session");
        error.ShouldContain("25P02");
    }

    [Fact]
    public async Task What_may_not_be_set_may_not_be_begun_with_either()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);

        foreach (var options in new[] { "-c role=other", "--ROLE=other", "-crole=other", "-c app.tenant=8", "-c standard_conforming_strings=off", "-e" })
        {
            var (code, _, error) = await proxy.Psql("shop", "select 1", Token, options);
            code.ShouldBe(2, options);
            error.ShouldContain("centaur-proxy", Case.Sensitive, options);
        }

        (await proxy.Psql("shop", "show statement_timeout", Token, "-c statement_timeout=7s")).Output.Trim().ShouldBe("7s");
    }

    [Fact]
    public async Task A_dump_is_the_whole_database()
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token);

        await server.Run("shop", "grant select on items to app", Token);
        var (code, output, error) = await proxy.Run("pg_dump", "shop", ["--table", "items"], Token);

        error.ShouldBeEmpty();
        code.ShouldBe(0);
        output.ShouldContain("CREATE TABLE public.items");
        output.ShouldContain("1000\titem 1000");
    }
}
