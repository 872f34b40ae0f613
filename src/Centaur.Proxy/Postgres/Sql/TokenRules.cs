using System.Collections.Frozen;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>What is refused wherever it stands. A table or column of such a name is refused with it: rather that than a way around.</summary>
static class TokenRules
{
    /// <summary>Functions of Postgres and of the extensions it ships with that run a text as a statement.</summary>
    static readonly FrozenSet<string> StatementRunners = FrozenSet.Create(
        StringComparer.Ordinal,
        "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat", "ts_rewrite", "crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn",
        "connectby", "xpath_table");

    public static RefusalReason Find(ReadOnlySpan<SqlToken> tokens)
    {
        var (settingsTable, writes) = (false, false);
        for (var i = 0; i < tokens.Length; i++)
        {
            ref readonly var token = ref tokens[i];
            if (!token.IsName)
                continue;
            if (token.Name == "set_config")
                return RefusalReason.SetConfig;
            if (StatementRunners.Contains(token.Name) || token.Name.StartsWith("dblink", StringComparison.Ordinal))
                return RefusalReason.DynamicSql;
            settingsTable |= token.Name == "pg_settings";
            if (token.Kind != SqlTokenKind.Word)
                continue;
            writes |= token.Name is "update" or "insert" or "delete" or "merge" or "create" or "alter";
            var next = i + 1 < tokens.Length ? tokens[i + 1] : default;
            if (token.Name == "do" && (next.IsText || next.Is("language")))
                return RefusalReason.DoBlock;
            if (token.Name == "load" && next.IsText)
                return RefusalReason.ServerWide;
            if (token.Name is "from" or "to" && next.Is("program") && i + 2 < tokens.Length && tokens[i + 2].IsText)
                return RefusalReason.Program;
        }

        return settingsTable && writes ? RefusalReason.SettingsTable : RefusalReason.None;
    }

    /// <summary>Further rules for a body in PL/pgSQL.</summary>
    public static RefusalReason FindInProcedure(ReadOnlySpan<SqlToken> tokens)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i].Is("execute"))
                return RefusalReason.DynamicSql;
            if (tokens[i].Is("alter") && i + 1 < tokens.Length && tokens[i + 1].Is("system"))
                return RefusalReason.ServerWide;
            if (!tokens[i].Is("create"))
                continue;
            var what = i + 2 < tokens.Length && tokens[i + 1].Is("or") ? i + 3 : i + 1;
            if (what < tokens.Length && (tokens[what].Is("function") || tokens[what].Is("procedure")))
                return RefusalReason.DynamicSql;
        }

        return RefusalReason.None;
    }
}
