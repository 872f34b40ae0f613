using System.Collections.Frozen;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>The word that the audit has for a statement: its first key word, where that is one of these.</summary>
static class StatementKinds
{
    public const string Other = "other";

    static readonly FrozenSet<string> Known = """
        abort alter analyze begin call checkpoint close cluster comment commit copy create deallocate declare delete discard do drop end execute explain fetch grant import
        insert listen load lock merge move notify prepare reassign refresh reindex release reset revoke rollback savepoint security select set show start table truncate
        unlisten update vacuum values with
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    public static string Of(ReadOnlySpan<SqlToken> statement) => !statement.IsEmpty && statement[0].Kind == SqlTokenKind.Word && Known.Contains(statement[0].Name) ? statement[0].Name : Other;
}
