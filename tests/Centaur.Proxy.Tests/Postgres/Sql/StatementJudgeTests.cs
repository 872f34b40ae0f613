using Centaur.Proxy.Postgres.Sql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres.Sql;

/// <summary>What is passed and what is refused is data of the conformance suite, and judged there before a real database; here is what nobody sees from outside.</summary>
public sealed class StatementJudgeTests
{
    static readonly StatementJudge Judge = new(new SessionRules("reader", ["search_path", "app.tenant", "default_transaction_read_only", "work_mem"]));

    [Fact]
    public void The_statement_of_pg_dump_names_no_table_that_a_session_could_put_another_in_the_place_of()
    {
        var verdict = Judge.Judge("SELECT set_config(name, 'view', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'"u8.ToArray());

        verdict.Replacement!.ShouldContain("FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=)");
    }
}
