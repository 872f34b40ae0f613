using System.Text;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Secrets;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

public sealed class PostgresConfigTests
{
    const string Minimal = "proxy: { tunnel_listen: ':0' }\ntls: { ca_cert: ca.pem, ca_key: ca.pem }\npostgres:\n";
    const string Client = "  client: { user: agent, password_env: P }\n";
    const string Upstreams = "  upstreams: [{ database: shop, dsn: { type: env, var: D } }]\n";

    [Theory]
    [InlineData(Client + Upstreams, "needs \"listen\"")]
    [InlineData("  listen: 127.0.0.1:0\n" + Upstreams, "needs \"client\"")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client, "needs \"upstreams\"")]
    [InlineData("  listn: 127.0.0.1:0\n" + Client + Upstreams, "did you mean \"listen\"")]
    [InlineData("  listen: 127.0.0.1:0\n  client: { user: agent, password: x }\n" + Upstreams, "did you mean \"password_env\"")]
    [InlineData("  listen: 127.0.0.1:0\n  client: { user: agent, password_env: P, auth: md5 }\n" + Upstreams, "auth must be")]
    [InlineData("  listen: ':5432'\n  client: { user: agent, password_env: P, auth: password }\n" + Upstreams, "in clear text")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: shop }]\n", "needs \"dsn\"")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: shop, dsn: { type: vault } }]\n", "no source type \"vault\"")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: s, dsn: { type: env, var: D } }, { database: s, dsn: { type: env, var: D } }]\n", "named twice")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: s, dsn: { type: env, var: D }, settings: [{ name: role, value: x }] }]\n", "use \"role\"")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: s, dsn: { type: env, var: D }, settings: [{ name: \"a'b\", value: x }] }]\n", "is not the name of a setting")]
    [InlineData("  listen: 127.0.0.1:0\n" + Client + "  upstreams: [{ database: s, dsn: { type: env, var: D }, settings: [{ name: a.b }] }]\n", "needs \"value\"")]
    public void What_is_wrong_in_the_section_is_said(string text, string said) =>
        Should.Throw<UsageException>(() => ConfigReader.Read(new StringReader(Minimal + text), "/etc/proxy.yaml")).Message.ShouldContain(said);

    [Fact]
    public void A_listener_that_others_can_reach_is_noticed()
    {
        var config = ConfigReader.Read(new StringReader(Minimal + "  listen: ':5432'\n" + Client + Upstreams), "/etc/proxy.yaml");

        config.Notices.ShouldHaveSingleItem().ShouldContain("without TLS");
        config.Postgres.ShouldNotBeNull().Databases.ShouldHaveSingleItem().Database.ShouldBe("shop");
        config.Secrets["postgres.shop"].Source.Reference.ShouldBe("D");
    }

    [Theory]
    [InlineData("postgresql://u:p%40%2F@h.test:6432/d?sslmode=verify-ca", "h.test:6432", "u", "d", "p@/")]
    [InlineData("postgres://u@h.test/d", "h.test:5432", "u", "d", null)]
    [InlineData("postgres://u:p@[2001:db8::1]:1/d", "[2001:db8::1]:1", "u", "d", "p")]
    [InlineData("host=h.test port = 1 user=u password='a \\'b\\\\' dbname=d", "h.test:1", "u", "d", "a 'b\\")]
    [InlineData("postgresql:///d?host=h.test&user=u", "h.test:5432", "u", "d", null)]
    public void A_DSN_is_read_as_libpq_reads_it(string text, string address, string user, string database, string? password)
    {
        var dsn = Read(text, out _).ShouldNotBeNull();

        dsn.Address.ToString().ShouldBe(address);
        (dsn.User, dsn.Database).ShouldBe((user, database));
        (dsn.Password is { } secret ? Encoding.UTF8.GetString(secret.Bytes) : null).ShouldBe(password);
    }

    [Theory]
    [InlineData("postgresql://u:hunter2%zz@h.test/d")]
    [InlineData("postgresql://u:hunter2@h.test,i.test/d")]
    [InlineData("postgresql://u:hunter2@h.test/d?sslmode=allow")]
    [InlineData("postgresql://u:hunter2@h.test/d?user=w")]
    [InlineData("postgresql://u:hunter2@h.test:99999/d")]
    [InlineData("postgresql://u:hunter2@h.test")]
    [InlineData("host=h.test user=u dbname=d password=a hunter2=1")]
    [InlineData("host=h.test user=u dbname=d password='hunter2")]
    [InlineData("hunter2")]
    public void A_problem_with_a_DSN_is_said_without_a_word_of_it(string text)
    {
        Read(text, out var problem).ShouldBeNull();

        problem.ShouldNotBeEmpty();
        problem.ShouldNotContain("hunter2");
    }

    static Dsn? Read(string text, out string problem) => DsnReader.Read(new Secret("dsn", Encoding.UTF8.GetBytes(text)), out problem);
}
