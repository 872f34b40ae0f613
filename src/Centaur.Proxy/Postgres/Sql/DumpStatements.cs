using System.Text;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>
/// The two statements by which pg_dump sets what it needs (pg_dump.c, setup_connection; the second since 15.8, CVE-2024-7348). They are recognised whole: of literals alone,
/// nothing in them can be computed. The second names a table without its schema, which a session could put another in the place of; it is sent on with its schema.
/// </summary>
static class DumpStatements
{
    const string RelationKinds = "restrict_nonsystem_relation_kind";

    public static bool Recognize(byte[] sql, ReadOnlySpan<SqlToken> tokens, SessionRules rules, out string? replacement)
    {
        replacement = null;
        if (!tokens.IsEmpty && tokens[^1].Is(';'))
            tokens = tokens[..^1];
        if (Matches(tokens, "select pg_catalog . set_config ( '' , '' , false )") || Matches(tokens, "select pg_catalog . set_config ( '' , '' , true )"))
            return tokens[5].Name.Length > 0 && tokens[5].Name != "client_encoding" && rules.Change(tokens[5].Name) == RefusalReason.None;
        if (!Matches(tokens, "select set_config ( name , '' , false ) from pg_settings where name = ''") || tokens[^1].Name != RelationKinds || tokens[5].Name.Length == 0)
            return false;
        var value = Encoding.ASCII.GetString(sql, tokens[5].Start, tokens[5].End - tokens[5].Start);
        replacement = $"SELECT pg_catalog.set_config(s.name, {value}, false) FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) '{RelationKinds}'";
        return rules.Change(RelationKinds) == RefusalReason.None;
    }

    static bool Matches(ReadOnlySpan<SqlToken> tokens, string pattern)
    {
        var words = pattern.Split(' ');
        if (words.Length != tokens.Length)
            return false;
        for (var i = 0; i < words.Length; i++)
        {
            var fits = words[i] == "''" ? tokens[i].IsText : words[i].Length == 1 ? tokens[i].Is(words[i][0]) : tokens[i].Is(words[i]);
            if (!fits)
                return false;
        }

        return true;
    }
}
