using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Npgsql;

namespace Centaur.Server.Threads.Query;

/// <summary>Runs a caller's select as the query role, in a read-only transaction that is rolled back.</summary>
internal sealed class QueryStore(PostgresDatabase database, QueryOptions options)
{
    /// <summary>The reader that sees what every key began, and what none did.</summary>
    public const string EveryThread = "*";
    const int MostRows = 500;
    const long MostCharacters = 8 << 20;

    /// <summary>Queries share the processors and the connections of the database with everything that must not wait.</summary>
    public const int AtOnce = 2;
    int running;

    /// <summary>Takes a place for one query, where one is free; it is left with <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref running) <= AtOnce)
            return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref running);

    /// <param name="role">The role of <see cref="QueryRole"/>.</param>
    /// <param name="reader">The API key whose threads are seen, or <see cref="EveryThread"/>.</param>
    /// <param name="statement">What <see cref="QueryGuard"/> let pass.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="QueryTooLargeException">The answer is too large.</exception>
    /// <exception cref="PostgresException">The query is wrong, or took too long; its text is about the caller's own words.</exception>
    public Task<IReadOnlyList<JsonObject>> Run(string role, string reader, string statement, CancellationToken cancellationToken) =>
        database.ReadOnly(
            async session =>
            {
                await session.Execute(
                    $"""
                    select set_config('search_path', 'readable', true), set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
                           set_config('standard_conforming_strings', 'on', true),
                           set_config('statement_timeout', {((int)options.Timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)}, true),
                           set_config('centaur.reader', {reader}, true),
                           set_config('role', {role}, true)
                    """,
                    cancellationToken);
                var left = MostCharacters;
                return await session.QueryAsText(Limited(statement), row => Row(row, ref left), cancellationToken);
            },
            cancellationToken);

    static Sql Limited(string statement)
    {
        var sql = new Sql(statement.Length, 0);
        sql.AppendLiteral($"select * from (\n{statement}\n) q limit {MostRows}");
        return sql;
    }

    static JsonObject Row(NpgsqlDataReader row, ref long left)
    {
        var json = new JsonObject();
        for (var column = 0; column < row.FieldCount; column++)
        {
            if (row.IsDBNull(column))
            {
                json[row.GetName(column)] = null;
                continue;
            }

            var text = row.GetString(column);
            if ((left -= text.Length) < 0)
                throw new QueryTooLargeException();
            json[row.GetName(column)] = Value(row.GetDataTypeName(column), text);
        }

        return json;
    }

    /// <summary>Postgres takes for JSON what a reader may not: such a value is shown as its text.</summary>
    static JsonNode? Json(string text)
    {
        try
        {
            var json = JsonNode.Parse(text);
            _ = json?.ToJsonString(ApiJson.Options);
            return json;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }
    }

    /// <summary>A value as Postgres wrote it, in the JSON type nearest to its own.</summary>
    static JsonNode? Value(string type, string text) => type switch
    {
        "boolean" => text == "t",
        "smallint" or "integer" or "bigint" => long.Parse(text, CultureInfo.InvariantCulture),
        "numeric" or "real" or "double precision" when text is not ("NaN" or "Infinity" or "-Infinity") => JsonNode.Parse(text),
        "json" or "jsonb" => Json(text),
        "bytea" => $"<{(text.Length - 2) / 2} bytes>",
        "timestamp with time zone" when text.EndsWith("+00", StringComparison.Ordinal) => text.Replace(' ', 'T') + ":00",
        _ => text,
    };
}

/// <summary>The rows of a query hold more than eight million characters.</summary>
internal sealed class QueryTooLargeException : Exception;
