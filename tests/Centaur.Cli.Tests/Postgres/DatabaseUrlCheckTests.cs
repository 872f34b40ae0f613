using Centaur.Cli.Postgres;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Postgres;

public sealed class DatabaseUrlCheckTests
{
    [Theory]
    [InlineData("postgresql://u:p%40ss@db.example.com:6432/app?sslmode=require", "PGDATABASE=app PGHOST=db.example.com PGPASSWORD=p@ss PGPORT=6432 PGSSLMODE=require PGUSER=u")]
    [InlineData("postgres://centaur@/centaur?host=/run/pg", "PGDATABASE=centaur PGHOST=/run/pg PGUSER=centaur")]
    [InlineData("postgres://[::1]/x", "PGDATABASE=x PGHOST=::1")]
    public void A_url_is_read_as_libpq_reads_it(string url, string expected) =>
        string.Join(' ', DatabaseUrlCheck.Parse(url).OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => $"{each.Key}={each.Value}")).ShouldBe(expected);

    [Theory]
    [InlineData("mysql://root:hunter2@db/x")]
    [InlineData("postgresql://user:hunter2@db")]
    public void A_url_that_cannot_be_used_is_refused_without_its_password(string url)
    {
        var failure = Should.Throw<CliError>(() => DatabaseUrlCheck.Parse(url));

        failure.ExitCode.ShouldBe(ExitCode.Prerequisite);
        (failure.Message + failure.Meaning + failure.Remedy).ShouldNotContain("hunter2");
    }
}
