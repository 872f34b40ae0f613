using System.Globalization;
using System.Text;
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
                var allowance = new Allowance();
                return await session.QueryAsText(Limited(statement), row => Row(row, allowance, cancellationToken), cancellationToken);
            },
            cancellationToken);

    static Sql Limited(string statement)
    {
        var sql = new Sql(statement.Length, 0);
        sql.AppendLiteral($"select * from (\n{statement}\n) q limit {MostRows}");
        return sql;
    }

    static async Task<JsonObject> Row(NpgsqlDataReader row, Allowance allowance, CancellationToken cancellationToken)
    {
        var json = new JsonObject();
        for (var column = 0; column < row.FieldCount; column++)
        {
            json[row.GetName(column)] = await row.IsDBNullAsync(column, cancellationToken)
                ? null
                : Value(row.GetDataTypeName(column), await allowance.Read(row, column, cancellationToken));
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

    /// <summary>What is left of the characters that one answer may have. A value beyond them is never held whole.</summary>
    sealed class Allowance
    {
        readonly char[] piece = new char[4096];
        long left = MostCharacters;

        public async Task<string> Read(NpgsqlDataReader row, int column, CancellationToken cancellationToken)
        {
            using var value = await row.GetTextReaderAsync(column, cancellationToken);
            var text = new StringBuilder();
            while (await value.ReadAsync(piece, cancellationToken) is var count and > 0)
            {
                if ((left -= count) < 0)
                    throw new QueryTooLargeException();
                text.Append(piece, 0, count);
            }

            return text.ToString();
        }
    }
}

/// <summary>The rows of a query hold more than eight million characters.</summary>
internal sealed class QueryTooLargeException : Exception;
