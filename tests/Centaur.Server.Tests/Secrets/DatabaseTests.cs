using System.Net;
using System.Text.Json.Nodes;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Secrets;

public sealed class DatabaseTests(PostgresServer postgres)
{
    const string Yaml = "egress: {databases: [{database: shop, dsn: SHOP_DSN, role: reader, settings: [{name: App.Tenant, value: 7}]}]}\n";

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sandbox_is_told_a_DSN_of_its_own_and_its_proxy_the_name_of_the_real_one()
    {
        await using var server = new ServerFixture(postgres) { Yaml = Yaml };
        await server.Start(Cancel);
        (await server.Api.Send(HttpMethod.Put, "/admin/secrets/SHOP_DSN", new JsonObject())).Status.ShouldBe(HttpStatusCode.OK);
        var (one, two) = (await Prepare(server), await Prepare(server));

        var access = one.Policy.Databases.ShouldNotBeNull();
        access.User.ShouldBe("agent");
        access.Password.ShouldMatch("^[0-9a-f]{32,}$");
        var database = access.Databases.ShouldHaveSingleItem();
        (database.Database, database.Dsn, database.Role).ShouldBe(("shop", "SHOP_DSN", "reader"));
        database.Settings.ShouldBe([new DatabaseSetting("app.tenant", "7")]);
        one.Grant.Secrets.Select(secret => secret.Name).ShouldBe(["SHOP_DSN"]);
        one.Policy.Secrets.ShouldBeEmpty();
        one.Environment["SHOP_DSN"].ShouldBe($"postgresql://agent:{access.Password}@postgres.centaur.internal:5432/shop?sslmode=disable");
        two.Policy.Databases!.Password.ShouldNotBe(access.Password);
        access.ToString().ShouldNotContain(access.Password);
    }

    [Fact]
    public async Task Without_databases_there_is_nothing_to_log_in_to()
    {
        await using var server = new ServerFixture(postgres);
        await server.Start(Cancel);

        var grant = await Prepare(server);

        grant.Policy.Databases.ShouldBeNull();
        grant.Environment.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("databases: [{dsn: A}]", "egress.databases[].database is missing.")]
    [InlineData("databases: [{database: shop}]", "egress.databases[].dsn is missing.")]
    [InlineData("databases: [{database: shop, dsn: 'postgresql://u:hunter2@h/shop'}]", "egress.databases[].dsn must be the name of a secret")]
    [InlineData("databases: [{database: shop, dsn: A, settings: [{name: role, value: x}]}]", "role cannot be pinned as a setting; use \"role\".")]
    [InlineData("databases: [{database: shop, dsn: A, settings: [{name: \"a'b\", value: x}]}]", "is not the name of a setting")]
    [InlineData("databases: [{database: shop, dsn: A, settings: [{name: a.b, value: x}, {name: A.b, value: y}]}]", "a.b is named twice")]
    [InlineData("databases: [{database: shop, dsn: A}, {database: shop, dsn: B}]", "egress.databases name shop twice.")]
    [InlineData("databases: [{database: shop, dsn: A}, {database: bar, dsn: A}]", "egress.databases use the secret A twice; a DSN names one database.")]
    [InlineData("secrets: [A], databases: [{database: shop, dsn: A}]", "which egress.secrets grants as a placeholder too")]
    [InlineData("databases: [{database: shop, dns: A}]", "Did you mean egress.databases[].dsn?")]
    public void What_cannot_work_stops_the_start(string yaml, string said)
    {
        var home = Directory.CreateTempSubdirectory("centaur-databases-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(home, "centaur.yaml"), "egress: {" + yaml + "}");
            var settings = Settings.Load(new Dictionary<string, string> { ["CENTAUR_HOME"] = home, ["XDG_RUNTIME_DIR"] = home }, isRoot: false);

            var message = Should.Throw<SettingsException>(() => Program.Compose(settings)).Message;

            message.ShouldContain(said);
            message.ShouldNotContain("hunter2");
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    static async Task<SandboxGrant> Prepare(ServerFixture server)
    {
        var sandbox = (string)(await server.Api.Spawn(Http.NewThread()))["runtime_id"]!;
        return await server.Services.GetRequiredService<SandboxGrants>().Prepare(
            new PolicySubject(sandbox, 1, "t", "turn", null), new ModelEndpoint("responses", new Uri("https://m.example/v1"), null, null), Cancel);
    }
}
