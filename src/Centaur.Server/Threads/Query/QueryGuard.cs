using System.Text.RegularExpressions;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads.Query;

/// <summary>
/// What may be asked of <c>POST /agent/query</c> before Postgres sees it. The role and the read-only transaction are what holds; this keeps them in place: a function such as
/// <c>set_config</c> could leave the role inside one statement, so that functions are a list, and quoting that could hide a name is refused.
/// 1. It is one statement that begins with <c>select</c>, without the contract's words (§1.7). 2. Its text is read as Postgres reads it: strings and quoted names are passed over,
/// comments, dollar quotes and escapes are refused. 3. What stands before a parenthesis is a function of the list, or a word of the language.
/// </summary>
internal static partial class QueryGuard
{
    static readonly HashSet<string> Callable = new(
        """
        abs age any array array_agg array_length array_to_string as asc avg between bit_length bool_and bool_or btrim by cardinality case cast ceil ceiling char_length character_length
        coalesce concat concat_ws count cume_dist current_timestamp date_bin date_part date_trunc decimal dense_rank desc distinct div every except exists exp extract filter
        first_value floor from generate_series greatest group grouping having in initcap intersect is join json_agg json_array_elements json_array_elements_text json_array_length
        json_build_object json_each_text json_extract_path_text json_object_keys json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length
        jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_pretty jsonb_strip_nulls
        jsonb_typeof lag last_value lateral lead least left length like ilike limit ln log lower ltrim make_date make_interval max md5 min mod mode not now nth_value ntile nullif
        numeric octet_length offset on or order over and partition percent_rank percentile_cont percentile_disc position power rank regexp_count regexp_match regexp_matches
        regexp_replace regexp_split_to_array regexp_substr replace reverse right round row_number row_to_json rtrim select sign some split_part sqrt starts_with stddev string_agg
        string_to_array strpos substr substring sum then timezone to_char to_date to_json to_jsonb to_number to_timestamp translate trim trunc union unnest upper using values varchar
        variance when where within else rows range all
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
        StringComparer.Ordinal);

    /// <summary>The statement without what surrounds it, or why it is refused.</summary>
    public static Outcome<string> Check(string sql)
    {
        // 1.
        var statement = sql.Trim();
        if (statement.Length == 0)
            return ApiFailure.Invalid("sql", "sql must not be empty");
        if (!Select().IsMatch(statement))
            return Refused("Only SELECT queries are allowed");
        if (Blocked().Match(statement) is { Success: true } word)
            return Refused($"The word {word.Value} is not allowed in a query");
        statement = statement.TrimEnd(';', ' ', '\t', '\r', '\n');

        // 2. and 3.
        var at = 0;
        while (at < statement.Length)
        {
            var token = Token().Match(statement, at);
            if (!token.Success || token.Groups["refused"].Success)
                return Refused($"A query is one statement without comments, dollar quotes, parameters, escapes and unfinished quotes (at character {at + 1})");
            if (token.Groups["name"] is { Success: true } name && Opens(statement, at + token.Length) && !Callable.Contains(name.Value.ToLowerInvariant()))
                return Refused($"The function {name.Value} is not among those that a query may call");
            if (token.Groups["quoted"].Success && Opens(statement, at + token.Length))
                return Refused($"The function {token.Value} is not among those that a query may call");
            at += token.Length;
        }

        return statement;
    }

    static bool Opens(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        return at < text.Length && text[at] == '(';
    }

    static ApiFailure Refused(string why) => ApiFailure.Detail(StatusCodes.Status400BadRequest, why + ".");

    [GeneratedRegex(@"^select\b", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Select();

    [GeneratedRegex(@"\b(?:drop|delete|insert|update|alter|create|truncate|grant|revoke)\b", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blocked();

    /// <summary>A prefixed string (E'…', U&amp;'…', B'…') is refused whole: in it a backslash or a number could stand for any character.</summary>
    [GeneratedRegex(
        """\G(?:(?<refused>--|/\*|[$;\\]|(?:[eEbBxXnN]|[uU]&)(?='|")|[uU]&)|(?<string>'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")+")|(?<name>[\p{L}_][\p{L}\p{Nd}_$]*)|[0-9][0-9a-zA-Z_.]*|[^'"])""",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
