using System.Runtime.InteropServices;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>
/// Decides which SQL text reaches the upstream. It knows no grammar; it judges the tokens, and refuses where they could mean two things.
/// <para>1. The text is cut into tokens as Postgres cuts it. What cannot be cut is refused.</para>
/// <para>2. The two statements with set_config that pg_dump begins with are allowed in their exact shape.</para>
/// <para>3. Names and sequences that are dangerous wherever they stand are looked for in all tokens (<see cref="TokenRules"/>).</para>
/// <para>4. Each statement is judged by its first words: SET, RESET, DISCARD, BEGIN, ALTER, CREATE.</para>
/// <para>5. The body of a routine is SQL in a string: it is read in its turn. A body in PL/pgSQL with EXECUTE is refused whatever it executes.</para>
/// </summary>
sealed class StatementJudge(SessionRules rules)
{
    /// <summary>A body may make routines whose bodies make routines; nobody needs more.</summary>
    const int DeepestBody = 3;

    public Verdict Judge(byte[] sql) => Judge(sql, depth: 0);

    Verdict Judge(byte[] sql, int depth)
    {
        // 1.
        if (depth > DeepestBody || SqlLexer.Read(sql) is not List<SqlToken> list)
            return new Verdict(RefusalReason.Unreadable, [StatementKinds.Other]);
        ReadOnlySpan<SqlToken> tokens = CollectionsMarshal.AsSpan(list);

        // 2.
        if (depth == 0 && DumpStatements.Recognize(sql, tokens, rules, out var replacement))
            return new Verdict(RefusalReason.None, ["select"], replacement);

        // 3.
        if (TokenRules.Find(tokens) is not RefusalReason.None and var anywhere)
            return new Verdict(anywhere, [FirstKind(tokens)]);

        // 4.
        var kinds = new List<string>();
        while (!tokens.IsEmpty)
        {
            var end = 0;
            while (end < tokens.Length && !tokens[end].Is(';'))
                end++;
            var statement = tokens[..end];
            tokens = tokens[Math.Min(end + 1, tokens.Length)..];
            if (statement.IsEmpty)
                continue;
            var kind = StatementKinds.Of(statement);
            if (JudgeOne(sql, statement, depth) is not RefusalReason.None and var reason)
                return new Verdict(reason, [kind]);
            kinds.Add(kind);
        }

        return new Verdict(RefusalReason.None, kinds);
    }

    static string FirstKind(ReadOnlySpan<SqlToken> tokens) => StatementKinds.Of(tokens);

    RefusalReason JudgeOne(byte[] sql, ReadOnlySpan<SqlToken> statement, int depth) => statement[0] switch
    {
        { Kind: not SqlTokenKind.Word } => RefusalReason.None,
        { Name: "set" or "reset" or "discard" } => SettingRules.AtStart(statement, rules),
        { Name: "begin" or "start" } => SettingRules.TransactionModes(statement, rules),
        { Name: "load" } => RefusalReason.ServerWide,
        { Name: "do" } => RefusalReason.DoBlock,
        { Name: "alter" } => statement.Length > 1 && statement[1].Is("system") ? RefusalReason.ServerWide : SettingRules.Clauses(statement, rules),
        { Name: "create" } => JudgeCreate(sql, statement, depth),
        _ => RefusalReason.None,
    };

    RefusalReason JudgeCreate(byte[] sql, ReadOnlySpan<SqlToken> statement, int depth)
    {
        var what = statement.Length > 2 && statement[1].Is("or") ? 3 : 1;
        if (what >= statement.Length)
            return RefusalReason.None;
        if (statement[what].Is("language") || statement[what].Is("trusted") || statement[what].Is("procedural"))
            return RefusalReason.ServerWide;
        if (!statement[what].Is("function") && !statement[what].Is("procedure"))
            return RefusalReason.None;
        if (SettingRules.Clauses(statement, rules) is not RefusalReason.None and var clause)
            return clause;
        return JudgeRoutine(sql, statement, depth);
    }

    // 5.
    RefusalReason JudgeRoutine(byte[] sql, ReadOnlySpan<SqlToken> statement, int depth)
    {
        string? language = null;
        for (var i = 0; i + 1 < statement.Length; i++)
        {
            if (!statement[i].Is("language"))
                continue;
            var named = LanguageName(sql, statement[i + 1]);
            if (named is not ("sql" or "plpgsql") || (language is not null && language != named))
                return RefusalReason.RoutineLanguage;
            language = named;
        }

        for (var i = 0; i + 1 < statement.Length; i++)
        {
            if (!statement[i].Is("as") || !statement[i + 1].IsText)
                continue;
            if (language is null)
                return RefusalReason.RoutineLanguage;
            if (SqlText.Value(sql, statement[i + 1]) is not { } body)
                return RefusalReason.Unreadable;
            var reason = language == "sql" ? Judge(body, depth + 1).Reason : JudgeProcedural(body);
            if (reason != RefusalReason.None)
                return reason;
        }

        return RefusalReason.None;
    }

    /// <summary>In PL/pgSQL a statement begins behind THEN, LOOP and others too; so a dangerous sequence is refused wherever it stands.</summary>
    RefusalReason JudgeProcedural(byte[] body)
    {
        if (SqlLexer.Read(body) is not List<SqlToken> list)
            return RefusalReason.Unreadable;
        ReadOnlySpan<SqlToken> tokens = CollectionsMarshal.AsSpan(list);
        if (TokenRules.Find(tokens) is not RefusalReason.None and var anywhere)
            return anywhere;
        return TokenRules.FindInProcedure(tokens) is not RefusalReason.None and var dynamic ? dynamic : SettingRules.Clauses(tokens, rules);
    }

    static string? LanguageName(byte[] sql, SqlToken token)
    {
        if (token.IsName)
            return token.Name;
        return token.IsText && SqlText.Value(sql, token) is { } value ? System.Text.Encoding.Latin1.GetString(value).ToLowerInvariant() : null;
    }
}
