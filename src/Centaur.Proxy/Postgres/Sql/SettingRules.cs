namespace Centaur.Proxy.Postgres.Sql;

/// <summary>SET, RESET and DISCARD, as statements and as clauses of CREATE FUNCTION and ALTER.</summary>
static class SettingRules
{
    /// <summary>A statement that begins with SET, RESET or DISCARD.</summary>
    public static RefusalReason AtStart(ReadOnlySpan<SqlToken> statement, SessionRules rules)
    {
        var rest = statement[1..];
        if (statement[0].Name == "discard")
            return rest is [var all, ..] && all.Is("all") && (rules.HasRole || rules.HasSettings) ? RefusalReason.Reset : RefusalReason.None;
        if (rest is [var scope, var after, ..] && (scope.Is("local") || scope.Is("session")) && !after.Is("authorization"))
        {
            if (after.Is("characteristics"))
                return TransactionModes(rest, rules);
            rest = rest[1..];
        }

        if (rest is [var transaction, ..] && transaction.Is("transaction"))
            return TransactionModes(rest, rules);
        // Deferring constraints is the one SET that names no setting.
        if (statement[0].Name == "set" && rest is [var constraints, ..] && constraints.Is("constraints"))
            return RefusalReason.None;
        return Setting(rest, rules, isReset: statement[0].Name == "reset");
    }

    /// <summary>Every SET, RESET or DISCARD that follows other words.</summary>
    public static RefusalReason Clauses(ReadOnlySpan<SqlToken> tokens, SessionRules rules)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!tokens[i].Is("set") && !tokens[i].Is("reset") && !tokens[i].Is("discard") && !tokens[i].Is("begin") && !tokens[i].Is("start"))
                continue;
            // SET (…), SET NOT NULL and their like name no setting; a name that is none is in no list either.
            var end = i + 1;
            while (end < tokens.Length && !tokens[end].Is(';'))
                end++;
            var clause = tokens[i..end];
            var reason = clause[0].Name is "begin" or "start" ? RefusalReason.None : clause.Length > 1 && clause[1].IsName ? AtStart(clause, rules) : RefusalReason.None;
            if (reason is not (RefusalReason.None or RefusalReason.Unreadable))
                return reason;
        }

        return RefusalReason.None;
    }

    /// <summary>What a transaction would take from a pinned default (default_transaction_read_only and its like).</summary>
    public static RefusalReason TransactionModes(ReadOnlySpan<SqlToken> tokens, SessionRules rules)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            var opposes = (tokens[i].Is("write") && rules.Pins("transaction_read_only"))
                || (tokens[i].Is("isolation") && rules.Pins("transaction_isolation"))
                || (tokens[i].Is("deferrable") && rules.Pins("transaction_deferrable"));
            if (opposes)
                return RefusalReason.PinnedSetting;
        }

        return RefusalReason.None;
    }

    static RefusalReason Setting(ReadOnlySpan<SqlToken> rest, SessionRules rules, bool isReset)
    {
        if (rest.IsEmpty || !rest[0].IsName)
            return RefusalReason.Unreadable;
        var second = rest.Length > 1 ? rest[1] : default;
        if (isReset && rest[0].Is("all"))
            return rules.HasSettings ? RefusalReason.Reset : RefusalReason.None;
        if (rest[0].Is("session") && second.Is("authorization"))
            return RefusalReason.Role;
        if (rest[0].Is("time") && second.Is("zone"))
            return rules.Change("timezone");
        if (rest[0].Is("xml") && second.Is("option"))
            return rules.Change("xmloption");
        if (rest[0].Is("schema") && (second.IsText || isReset))
            return rules.Change("search_path");
        if (rest[0].Is("names"))
            return isReset ? rules.Change("client_encoding") : Encoding(rest[1..], rules);

        var name = rest[0].Name;
        var at = 1;
        for (; at + 1 < rest.Length && rest[at].Is('.') && rest[at + 1].IsName; at += 2)
            name += "." + rest[at + 1].Name;
        // The value alone: behind "=" or "to".
        var value = at < rest.Length && (rest[at].Is('=') || rest[at].Is("to")) ? rest[(at + 1)..] : rest[at..];
        if (name == "client_encoding" && !isReset)
            return Encoding(value, rules);
        var reason = rules.Change(name);
        return reason == RefusalReason.StringSyntax && !isReset && value is [{ Name: "on" }] ? RefusalReason.None : reason;
    }

    /// <summary>An encoding is allowed where it is named by one word or one plain string; DEFAULT is that of the session's start, which was looked at.</summary>
    static RefusalReason Encoding(ReadOnlySpan<SqlToken> value, SessionRules rules)
    {
        if (rules.Change("client_encoding") is not RefusalReason.None and var pinned)
            return pinned;
        return value is [var word] && (word.Is("default") || SessionRules.IsReadable(word.Name)) ? RefusalReason.None : RefusalReason.Encoding;
    }
}
