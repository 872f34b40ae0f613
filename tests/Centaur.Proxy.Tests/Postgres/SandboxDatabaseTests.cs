using System.Diagnostics;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>Databases of a sandbox's policy: told on the control channel, with DSNs of the broker, on the socket that the keeper opened.</summary>
public sealed class SandboxDatabaseTests(SecuredPostgres server)
{
    const string Ticket = "ticket-of-databases-0123456789";
    const string Password = "password-of-this-sandbox-alone";

    static readonly DatabaseGrant Shop = new("shop", "SHOP_DSN") { Role = "reader", Settings = [new("app.tenant", "7")] };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_has_the_operators_role_and_settings_and_the_record_says_whose_it_was()
    {
        await using var sandbox = await Start(DatabaseProxy.Dsn("app", "shop"));

        var (code, output, error) = await Psql(sandbox, "select current_user, session_user; show app.tenant; select count(*) from items; set role other;");

        (code, output.ReplaceLineEndings("|")).ShouldBe((3, "reader|app|7|1000|"), error);
        error.ShouldContain("42501: centaur-proxy: The role of this session");
        var intent = await sandbox.Proxy.AuditRecord("intent");
        (Text(intent, "thread"), Text(intent, "turn"), Text(intent, "method"), Text(intent, "path"), Text(intent, "rule"), Text(intent, "host"))
            .ShouldBe(("thread-1", "turn-1", "POSTGRES", "/shop", "postgres", SecuredPostgres.Host));
        intent.GetProperty("secrets").EnumerateArray().Single().GetString().ShouldBe("SHOP_DSN");
        (await sandbox.Proxy.AuditRecord("outcome")).GetProperty("refused").GetInt64().ShouldBe(1);
        (await File.ReadAllTextAsync(sandbox.Proxy.AuditPath, Token) + sandbox.Proxy.Errors).ShouldNotContain(SecuredPostgres.RealPassword);
    }

    [Theory]
    [InlineData("agent", "shop", "of-nobody", "The password is wrong")]
    [InlineData("app", "shop", SecuredPostgres.RealPassword, "There is no such user here")]
    [InlineData("agent", "postgres", Password, "There is no such database here")]
    public async Task Whoever_does_not_say_what_this_sandbox_was_told_is_refused(string user, string database, string password, string said)
    {
        await using var sandbox = await Start(DatabaseProxy.Dsn("app", "shop"));

        (await Should.ThrowAsync<PostgresException>(() => Open(sandbox, user, database, password))).Message.ShouldContain(said);
    }

    [Fact]
    public async Task Where_no_database_is_allowed_clients_are_told_so()
    {
        await using var sandbox = await Start(DatabaseProxy.Dsn("app", "shop"));
        await sandbox.Proxy.Enforce(TestPolicy.Empty);

        var (code, _, error) = await Psql(sandbox, "select 1");

        (code, error.Contains("No database may be reached from here", StringComparison.Ordinal)).ShouldBe((2, true), error);
    }

    [Fact]
    public async Task A_session_outlives_the_policy_of_its_turn_and_the_next_one_is_of_the_new()
    {
        await using var sandbox = await Start(DatabaseProxy.Dsn("app", "shop"));
        await using var before = await Open(sandbox);
        await sandbox.Proxy.Enforce(Policy() with { Turn = "turn-2", Databases = new("agent", Password, [Shop with { Role = null }]) });
        await using var after = await Open(sandbox);

        (await Ask(before, "select current_user")).ShouldBe("reader");
        (await Ask(after, "select current_user")).ShouldBe("app");
    }

    [Fact]
    public async Task P30_a_session_ends_when_its_DSN_is_revoked()
    {
        await using var sandbox = await Start(DatabaseProxy.Dsn("app", "shop"));
        await using var session = await Open(sandbox);
        (await Ask(session, "select 1")).ShouldBe("1");

        await sandbox.Broker.Control(new RevokeGrant("sbx-test"));

        (await sandbox.Proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("secret_revoked");
        await Should.ThrowAsync<NpgsqlException>(() => Ask(session, "select 1"));
        (await Should.ThrowAsync<PostgresException>(() => Open(sandbox))).SqlState.ShouldBe("08006");
    }

    [Fact]
    public async Task P06_a_DSN_that_names_an_address_that_is_not_public_is_not_dialled()
    {
        await using var sandbox = await Start($"postgresql://app:x@127.0.0.1:{server.Port}/shop");

        var fault = await Should.ThrowAsync<PostgresException>(() => Open(sandbox));

        (fault.SqlState, fault.Message.Contains("destination_ip_prohibited", StringComparison.Ordinal)).ShouldBe(("08006", true));
        fault.ToString().ShouldNotContain("app:x");
    }

    [Fact]
    public async Task A_policy_whose_databases_contradict_each_other_is_rejected()
    {
        await using var proxy = await SandboxProxy.Start();

        var notice = await proxy.Offer(Policy() with { Version = 1, Databases = new("agent", Password, [Shop with { Settings = [new("role", "other")] }, Shop]) });

        notice.ShouldBeOfType<ProxyPolicyRejected>().Message.ShouldSatisfyAllConditions(
            message => message.ShouldContain("database \"shop\" is named twice"), message => message.ShouldContain("role cannot be pinned as a setting; use \"role\""));
    }

    ProxyPolicy Policy() => TestPolicy.Empty with
    {
        Map = [new UpstreamMap(SecuredPostgres.Host, 5432, "127.0.0.1", server.Port) { CaCertificate = server.AuthorityPem }],
        Databases = new DatabaseAccess("agent", Password, [Shop]),
    };

    async Task<BrokeredDatabase> Start(string dsn)
    {
        await server.Start(Token);
        var broker = await BrokerProcess.Start();
        broker.SetSecret("SHOP_DSN", dsn);
        await broker.Grant("sbx-test", Ticket, "SHOP_DSN");
        var proxy = await SandboxProxy.Start();
        using (var connection = await broker.Open(Ticket))
            proxy.HandOver(connection);
        await proxy.Enforce(Policy());
        return new BrokeredDatabase(broker, proxy);
    }

    static async Task<NpgsqlConnection> Open(BrokeredDatabase sandbox, string user = "agent", string database = "shop", string password = Password)
    {
        var connection = new NpgsqlConnection($"Host={sandbox.Proxy.DatabaseFolder};Port=5432;Username={user};Password={password};Database={database};Pooling=false");
        await connection.OpenAsync(Token);
        return connection;
    }

    static async Task<string?> Ask(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Token))?.ToString();
    }

    static async Task<(int Code, string Output, string Error)> Psql(BrokeredDatabase sandbox, string sql)
    {
        var start = new ProcessStartInfo(
            Path.Combine(SecuredPostgres.Bin, "psql"), ["-h", sandbox.Proxy.DatabaseFolder, "-U", "agent", "-d", "shop", "-XAt", "-v", "VERBOSITY=verbose", "-v", "ON_ERROR_STOP=1", "-f", "-"])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = Password;
        using var run = Process.Start(start)!;
        await run.StandardInput.WriteAsync(sql.AsMemory(), Token);
        run.StandardInput.Close();
        var (output, error) = (run.StandardOutput.ReadToEndAsync(Token), run.StandardError.ReadToEndAsync(Token));
        await Task.WhenAll(output, error);
        await run.WaitForExitAsync(Token);
        return (run.ExitCode, await output, await error);
    }

    static string? Text(System.Text.Json.JsonElement record, string name) => record.GetProperty(name).GetString();

    sealed record BrokeredDatabase(BrokerProcess Broker, SandboxProxy Proxy) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Proxy.DisposeAsync();
            await Broker.DisposeAsync();
        }
    }
}
