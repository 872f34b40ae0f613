using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>A driver that uses the extended protocol, through the program.</summary>
public sealed class NpgsqlTests(SecuredPostgres server)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pool_serves_commands_with_parameters_at_once()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        await using var pool = NpgsqlDataSource.Create(proxy.ConnectionString("shop", "Maximum Pool Size=4"));

        var names = await Task.WhenAll(Enumerable.Range(1, 40).Select(async n =>
        {
            await using var command = pool.CreateCommand("select name from items where id = $1");
            command.Parameters.Add(new() { Value = n });
            return (string)(await command.ExecuteScalarAsync(Token))!;
        }));

        names.ShouldBe(Enumerable.Range(1, 40).Select(n => $"item {n}"));
    }

    [Fact]
    public async Task Where_nothing_is_pinned_a_pool_may_reset_its_connections()
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token);
        await using var pool = NpgsqlDataSource.Create(proxy.ConnectionString("shop", "Maximum Pool Size=1").Replace("No Reset On Close=true;", "", StringComparison.Ordinal));

        for (var i = 0; i < 3; i++)
        {
            await using var connection = await pool.OpenConnectionAsync(Token);
            await using var command = new NpgsqlCommand("set application_name = 'x'; select 1", connection);
            await command.ExecuteNonQueryAsync(Token);
        }
    }

    [Fact]
    public async Task A_refused_statement_of_a_batch_discards_the_rest_up_to_Sync()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        await using var connection = await Open(proxy);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands = { new("select 1"), new("select set_config('role', $1, false)") { Parameters = { new() { Value = "other" } } }, new("select 2") },
        };

        var refusal = await Should.ThrowAsync<PostgresException>(() => batch.ExecuteNonQueryAsync(Token));

        refusal.SqlState.ShouldBe("42501");
        refusal.MessageText.ShouldContain("set_config");
        await using var next = new NpgsqlCommand("select 1", connection, transaction);
        (await Should.ThrowAsync<PostgresException>(() => next.ExecuteScalarAsync(Token))).SqlState.ShouldBe("25P02");
        await transaction.RollbackAsync(Token);
        await using var after = new NpgsqlCommand("select current_user::text", connection);
        (await after.ExecuteScalarAsync(Token)).ShouldBe("reader");
    }

    [Fact]
    public async Task A_pipelined_batch_answers_in_order()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        await using var connection = await Open(proxy);
        await using var batch = new NpgsqlBatch(connection);
        for (var i = 1; i <= 200; i++)
            batch.BatchCommands.Add(new("select $1::int") { Parameters = { new() { Value = i } } });

        var read = new List<int>();
        await using var reader = await batch.ExecuteReaderAsync(Token);
        do
        {
            while (await reader.ReadAsync(Token))
                read.Add(reader.GetInt32(0));
        }
        while (await reader.NextResultAsync(Token));

        read.ShouldBe(Enumerable.Range(1, 200));
    }

    [Fact]
    public async Task Bulk_data_passes_both_ways_unchanged()
    {
        await using var proxy = await DatabaseProxy.StartPlain(server, "shop", DatabaseProxy.Dsn("app", "shop"), Token);
        await using var connection = await Open(proxy);
        await using (var create = new NpgsqlCommand("create temp table bulk (n int, text text)", connection))
            await create.ExecuteNonQueryAsync(Token);
        var line = new string('x', 3000);

        await using (var import = await connection.BeginBinaryImportAsync("copy bulk from stdin (format binary)", Token))
        {
            for (var n = 0; n < 2000; n++)
                await import.WriteRowAsync(Token, n, line + n);
            await import.CompleteAsync(Token);
        }

        var sum = 0L;
        using (var export = await connection.BeginTextExportAsync("copy (select n, text from bulk order by n) to stdout", Token))
        {
            while (await export.ReadLineAsync(Token) is { } row)
                sum += row.Length;
        }

        sum.ShouldBe(Enumerable.Range(0, 2000).Sum(n => 3001L + (2 * n.ToString(System.Globalization.CultureInfo.InvariantCulture).Length)));
    }

    [Fact]
    public async Task A_notification_reaches_who_listens()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        await using var connection = await Open(proxy);
        var heard = new TaskCompletionSource<string>();
        connection.Notification += (_, said) => heard.TrySetResult(said.Payload);
        await using (var listen = new NpgsqlCommand("listen news", connection))
            await listen.ExecuteNonQueryAsync(Token);

        await server.Run("shop", "notify news, 'fresh'", Token);
        await connection.WaitAsync(Token);

        (await heard.Task.WaitAsync(Token)).ShouldBe("fresh");
    }

    [Fact]
    public async Task A_cancellation_reaches_the_session_that_it_names()
    {
        await using var proxy = await DatabaseProxy.StartShop(server, Token);
        await using var connection = await Open(proxy);
        await using var command = new NpgsqlCommand("select pg_sleep(600)", connection);
        var running = command.ExecuteNonQueryAsync(CancellationToken.None);
        await using (var watch = new NpgsqlConnection(server.Direct("shop")))
        {
            await watch.OpenAsync(Token);
            await using var busy = new NpgsqlCommand("select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active' and wait_event = 'PgSleep'", watch);
            while ((long)(await busy.ExecuteScalarAsync(Token))! == 0)
                await Task.Yield();
        }

        command.Cancel();

        // The driver says it as a cancellation of its own, around what the server said.
        var fault = await Record.ExceptionAsync(() => running);
        (fault as PostgresException ?? fault?.InnerException as PostgresException).ShouldNotBeNull().SqlState.ShouldBe("57014");
        (await proxy.Stop(Token)).Count(record => record.TryGetProperty("method", out var method) && method.GetString() == "POSTGRES-CANCEL").ShouldBe(1);
    }

    static async Task<NpgsqlConnection> Open(DatabaseProxy proxy)
    {
        var connection = new NpgsqlConnection(proxy.ConnectionString("shop", "Pooling=false"));
        await connection.OpenAsync(Token);
        return connection;
    }
}
