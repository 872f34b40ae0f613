using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Threads.Query;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Centaur.Server.Tests.Threads.Query;

public sealed class QueryTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_select_sees_the_contracts_tables_in_JSON()
    {
        var threadKey = Http.NewThread();
        await server.Api.Queue(threadKey);

        var result = await Ask($"select e.status, e.attempts, e.delivery->'recipient_user_id' as recipient, jsonb_build_object('a', 1) as object, e.completed_at, m.role, 1.5 as ratio, true as yes from agent_execution_requests e join chat_messages m on m.thread_key = e.thread_key where e.thread_key = '{threadKey}'");

        result.ToJsonString().ShouldBe(
            """{"rows":[{"status":"queued","attempts":0,"recipient":null,"object":{"a":1},"completed_at":null,"role":"user","ratio":1.5,"yes":true}],"count":1}""");
    }

    [Theory]
    [InlineData("agent_runtime_assignments")]
    [InlineData("agent_execution_events")]
    [InlineData("agent_message_requests")]
    [InlineData("attachments")]
    [InlineData("sandbox_sessions")]
    public async Task Every_listed_view_can_be_read(string view) => ((int)(await Ask($"select count(*) from {view}"))["count"]!).ShouldBe(1);

    [Fact]
    public async Task Rows_end_at_500_bytes_become_their_number_and_times_are_ISO()
    {
        ((int)(await Ask("select * from generate_series(1, 100000)"))["count"]!).ShouldBe(500);
        var row = (await Ask("SELECT 'abc'::bytea as file, '2026-01-02 03:04:05+01'::timestamptz as at, '{1,2}'::int[] as list, 'NaN'::float8 as nan;"))["rows"]![0]!;
        row.AsObject().Select(c => $"{c.Key}: {c.Value}").ShouldBe(["file: <3 bytes>", "at: 2026-01-02T02:04:05+00:00", "list: {1,2}", "nan: NaN"]);
    }

    [Theory]
    [InlineData("select key_hash from public.api_keys")]
    [InlineData("select * from public.secrets")]
    [InlineData("select data from public.attachments")]
    [InlineData("select placeholder from public.sandbox_placeholders")]
    [InlineData("select rolpassword from pg_authid")]
    public async Task F25_What_is_no_listed_view_cannot_be_read(string sql)
    {
        var (status, json) = await Post(sql);

        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldContain("permission denied");
    }

    [Theory]
    [InlineData("update chat_messages set role = 'user'")]
    [InlineData("with x as (select 1) select * from x")]
    [InlineData("select 1; delete from chat_messages")]
    [InlineData("select 1; select 2")]
    [InlineData("select * from chat_messages where role = 'DROP'")]
    [InlineData("select set_config('role', 'none', true)")]
    [InlineData("select pg_catalog . set_config ('role', 'none', true)")]
    [InlineData("select \"set_config\"('role', 'none', true)")]
    [InlineData("select U&\"set\\005fconfig\"('role', 'none', true)")]
    [InlineData("select set_config/**/('role', 'none', true)")]
    [InlineData("select set_config -- \n ('role', 'none', true)")]
    [InlineData("select query_to_xml('select 1', true, true, '')")]
    [InlineData("select pg_read_file('/etc/passwd')")]
    [InlineData("select pg_sleep(1)")]
    [InlineData("select $$a$$")]
    [InlineData("select E'\\''; select 1 --'")]
    [InlineData("select 'open")]
    [InlineData("select * into copy from chat_messages")]
    [InlineData("select * from chat_messages for share")]
    [InlineData("select 1) q; select (1")]
    [InlineData("select nonsense from chat_messages")]
    public async Task F25_What_is_no_plain_select_is_400(string sql) => (await Post(sql)).Status.ShouldBe(HttpStatusCode.BadRequest);

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public async Task An_empty_query_is_422(string sql) => (await Post(sql)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);

    [Fact]
    public async Task A_query_that_takes_too_long_is_ended()
    {
        await using var own = new ServerFixture(postgres) { Yaml = "query: {timeout_seconds: 1}\n" };
        await own.Start(Cancel);

        var (status, json) = await own.Api.Post("/agent/query", new JsonObject { ["sql"] = "select count(*) from generate_series(1, 1000000000000)" });

        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldContain("statement timeout");
    }

    [Fact]
    public async Task Nothing_of_a_query_stays_on_its_connection()
    {
        await Ask("select 1");

        (await server.Services.GetRequiredService<PostgresDatabase>().First(
            $"select current_user = session_user and current_setting('search_path') like '%public%'", row => row.GetBoolean(0), Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task F28_A_key_without_admin_sees_the_threads_that_it_began_and_nothing_of_others_not_even_in_an_error()
    {
        var (mine, hers) = (await Key("agent"), await Key("agent"));
        var (spawned, asked, foreign) = (Http.NewThread(), Http.NewThread(), Http.NewThread());
        await mine.Spawn(spawned);
        await mine.PostOk("/agent/execute", new JsonObject { ["thread_key"] = asked, ["message"] = "mine" }, HttpStatusCode.Accepted);
        await hers.PostOk("/agent/execute", new JsonObject { ["thread_key"] = foreign, ["message"] = "hers", ["execute_id"] = "unspeakable" }, HttpStatusCode.Accepted);
        // To go on with somebody's thread, or to begin it anew, makes it nobody else's.
        await mine.PostOk($"/agent/threads/{foreign}/release", new JsonObject());
        await mine.Spawn(foreign);

        (await Seen(mine)).ShouldBe(new[] { spawned, asked }.Order(StringComparer.Ordinal));
        (await Seen(hers)).ShouldBe([foreign]);
        (await Seen(server.Api)).ShouldBe(new[] { spawned, asked, foreign }.Order(StringComparer.Ordinal));
        foreach (var view in (string[])["agent_runtime_assignments", "agent_execution_requests", "agent_execution_events", "agent_message_requests", "chat_messages", "sandbox_sessions"])
            ((int)(await Rows(mine, $"select count(*) as n from {view} where thread_key = '{foreign}'"))[0]!["n"]!).ShouldBe(0, view);
        // Postgres would ask this cheap condition first, and its error shows what it was asked of.
        var (_, error) = await mine.Post("/agent/query", new JsonObject { ["sql"] = $"select 1 from agent_execution_requests where to_date(execute_id, 'YYYY') is not null and thread_key = '{foreign}'" });
        (error?.ToJsonString() ?? "").ShouldNotContain("unsp");

        async Task<HttpClient> Key(string scope) =>
            server.Client((string)(await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = scope, ["scopes"] = new JsonArray(scope) }))["key"]!);

        async Task<JsonArray> Rows(HttpClient api, string sql) => (await api.PostOk("/agent/query", new JsonObject { ["sql"] = sql }))["rows"]!.AsArray();

        async Task<IEnumerable<string>> Seen(HttpClient api) =>
            (await Rows(api, $"select distinct thread_key from agent_runtime_assignments where thread_key in ('{spawned}', '{asked}', '{foreign}')"))
            .Select(row => (string)row!["thread_key"]!).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("select string_agg('0123456789', '') as value from generate_series(1, 3000000)")]
    [InlineData("select string_agg('0123456789', '') as value from generate_series(1, 500000) many, generate_series(1, 2) rows group by rows")]
    public async Task F23_An_answer_of_more_than_8_MB_is_refused_whether_one_value_or_many_fill_it(string sql)
    {
        var (status, json) = await Post(sql);

        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldBe("The answer is larger than 8 MB. Ask for fewer rows or columns.");
    }

    [Fact]
    public async Task An_answer_of_almost_8_MB_is_given() =>
        ((string)(await Ask("select string_agg('0123456789', '') as value from generate_series(1, 800000)"))["rows"]![0]!["value"]!).Length.ShouldBe(8_000_000);

    [Fact]
    public async Task F23_A_third_query_at_once_is_told_to_come_again_and_harms_nobody()
    {
        var store = server.Services.GetRequiredService<QueryStore>();
        List<bool> places = [store.TryEnter(), store.TryEnter()];
        try
        {
            places.ShouldAllBe(entered => entered);

            var (status, json) = await Post("select 1 as one");

            status.ShouldBe(HttpStatusCode.TooManyRequests);
            ((string)json!["detail"]!).ShouldBe("2 queries run already. Try again in a moment.");
        }
        finally
        {
            places.ForEach(_ => store.Leave());
        }

        await Ask("select 1 as one");
        (await Post("select no_such_column")).Status.ShouldBe(HttpStatusCode.BadRequest, "one that fails leaves its place too");
        await Task.WhenAll(Ask("select 1 as one"), Ask("select 2 as two"));
    }

    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"\ud800":1}""")]
    public async Task A_json_value_that_no_strict_reader_takes_is_shown_as_its_text(string text) =>
        ((string)(await Ask($"select cast('{text}' as json) as value"))["rows"]![0]!["value"]!).ShouldBe(text);

    [Fact]
    public async Task F28_A_sandbox_may_not_query()
    {
        var threadKey = Http.NewThread();
        var spawned = await server.Api.Spawn(threadKey);
        var token = await server.Services.GetRequiredService<SandboxTokens>().Mint(threadKey, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken);

        var (status, json) = await server.Client(token).Post("/agent/query", new JsonObject { ["sql"] = "select 1" });

        status.ShouldBe(HttpStatusCode.Forbidden);
        ((string)json!["detail"]!).ShouldBe("A sandbox may not query.");
    }

    [Fact]
    public async Task Where_the_role_cannot_be_made_queries_are_off_and_say_how_to_turn_them_on()
    {
        var connection = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabase(Cancel));
        var user = $"plain_{Guid.CreateVersion7():N}";
        await using var admin = NpgsqlDataSource.Create(connection.ConnectionString);
        await Run(admin, $"create role {user} login");
        await Run(admin, $"alter database {connection.Database} owner to {user}");
        connection.Username = user;
        await using var own = NpgsqlDataSource.Create(connection.ConnectionString);
        await new Migrator(own).Run(Cancel);
        var role = new QueryRole(new PostgresDatabase(own, Server.Platform.Faults.CrashPoints.None));

        await role.Run(Cancel);
        role.Name.ShouldBeNull();
        role.Repair.ShouldContain($"to \"{user}\"");

        foreach (var statement in role.Repair[(role.Repair.IndexOf("run: ", StringComparison.Ordinal) + 5)..role.Repair.IndexOf("; then", StringComparison.Ordinal)].Split(';'))
            await Run(admin, statement);
        await role.Run(Cancel);
        role.Name.ShouldNotBeNull().ShouldStartWith("centaur_query_");
    }

    static async Task Run(NpgsqlDataSource source, string statement)
    {
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    Task<JsonNode> Ask(string sql) => server.Api.PostOk("/agent/query", new JsonObject { ["sql"] = sql });

    Task<(HttpStatusCode Status, JsonNode? Json)> Post(string sql) => server.Api.Post("/agent/query", new JsonObject { ["sql"] = sql });
}
