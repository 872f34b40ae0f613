using System.Text.Json.Nodes;
using Centaur.Server.Egress;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Centaur.Server.Tests.Egress;

/// <summary>From the audit files of a host to Postgres: every line once, in order, and none that does not follow the one before.</summary>
public sealed class ShippingTests(QuietServer quiet) : IClassFixture<QuietServer>
{
    readonly ServerFixture server = quiet.Fixture;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    AuditShipping Shipping => server.Services.GetRequiredService<AuditShipping>();

    [Fact]
    public async Task What_a_proxy_wrote_is_stored_byte_for_byte_and_what_it_writes_later_follows()
    {
        var file = new AuditFileOf(server).Requests(3);
        await Shipping.Run(Cancellation);
        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));

        file.Requests(2);
        await Shipping.Run(Cancellation);
        await Shipping.Run(Cancellation);

        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));
        (await One<long>($"select bytes from egress_anchors where sandbox_id = {file.SandboxId}")).ShouldBe(new FileInfo(file.Path).Length);
    }

    [Fact]
    public async Task A_line_that_is_not_written_to_its_end_waits_for_it()
    {
        var file = new AuditFileOf(server).Requests(1).Append("{\"time\":\"2026-");
        await Shipping.Run(Cancellation);
        (await Lines(file)).Count.ShouldBe(2);

        // The proxy that wrote it was killed; its successor cut it off and goes on.
        File.WriteAllText(file.Path, File.ReadAllText(file.Path)[..^"{\"time\":\"2026-".Length]);
        file.Requests(1);
        await Shipping.Run(Cancellation);

        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));
    }

    [Fact]
    public async Task F3_several_servers_of_one_host_that_ship_at_once_store_each_line_once()
    {
        var file = new AuditFileOf(server).Requests(2000);
        var shippers = Enumerable.Range(0, 4).Select(_ => ActivatorUtilities.CreateInstance<AuditShipping>(server.Services)).ToList();

        await Task.WhenAll(shippers.Select(shipper => shipper.Run(Cancellation)));

        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));
    }

    [Theory]
    [InlineData(CrashMoment.Before)]
    [InlineData(CrashMoment.After)]
    public async Task F3_a_shipper_that_is_killed_around_its_commit_loses_nothing_and_stores_nothing_twice(CrashMoment moment)
    {
        var file = new AuditFileOf(server).Requests(5);
        var dying = CrashPoints.HandedTo((point, at) => point.Name == "egress.ship" && at == moment ? throw new InvalidOperationException("killed") : Task.CompletedTask);
        var database = new PostgresDatabase(server.Services.GetRequiredService<NpgsqlDataSource>(), dying);
        var killed = ActivatorUtilities.CreateInstance<AuditShipping>(server.Services, new EgressStore(database, server.Services.GetRequiredService<HostIdentity>()));
        await Should.ThrowAsync<InvalidOperationException>(() => killed.Run(Cancellation));

        await Shipping.Run(Cancellation);

        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));
    }

    [Theory]
    [InlineData("altered", 4)]
    [InlineData("dropped", 4)]
    [InlineData("reordered", 4)]
    [InlineData("foreign", 7)]
    [InlineData("forged", 7)]
    public async Task F56_a_file_that_was_altered_is_not_shipped_past_the_line_and_an_alert_names_it(string how, long line)
    {
        var file = new AuditFileOf(server).Requests(3);
        var lines = File.ReadAllLines(file.Path).ToList();
        if (how == "altered")
            lines[3] = lines[3].Replace("200", "404", StringComparison.Ordinal);
        if (how == "dropped")
            lines.RemoveAt(3);
        if (how == "reordered")
            (lines[3], lines[4]) = (lines[4], lines[3]);
        if (how == "foreign")
            lines.Add("not a record");
        File.WriteAllLines(file.Path, lines);
        if (how == "forged")
            file.Raw("{\"kind\":\"intent\",\"time\":\"never\"}");

        await Shipping.Run(Cancellation);
        await Shipping.Run(Cancellation);

        (await Lines(file)).ShouldBe(lines.Take((int)line - 1));
        (await One<long>($"select broken_line from egress_anchors where sandbox_id = {file.SandboxId}")).ShouldBe(line);
        File.Exists(file.Path).ShouldBeTrue();
        var text = await server.Api.GetStringAsync("/metrics", Cancellation);
        Figure(text, "centaur_egress_broken_chains ").ShouldBeGreaterThan(0);
        Figure(text, "centaur_alerts_total{alert=\"egress_chain_broken\"} ").ShouldBeGreaterThan(0);
        var fault = (await server.Api.Get($"/admin/egress/verify?sandbox_id={file.SandboxId}")).Json!["faults"]![0]!;
        ((long)fault["line"]!, (string)fault["sandbox_id"]!).ShouldBe((line, file.SandboxId));
    }

    [Fact]
    public async Task F56_a_file_that_was_cut_or_replaced_is_found_and_one_that_is_restored_is_shipped_on()
    {
        var file = new AuditFileOf(server).Requests(3);
        await Shipping.Run(Cancellation);
        var whole = File.ReadAllBytes(file.Path);
        File.WriteAllLines(file.Path, File.ReadAllLines(file.Path).Take(2));
        await Shipping.Run(Cancellation);
        (await One<long>($"select broken_line from egress_anchors where sandbox_id = {file.SandboxId}")).ShouldBe(6);

        File.WriteAllBytes(file.Path, whole);
        file.Requests(1);
        await Shipping.Run(Cancellation);

        (await Lines(file)).ShouldBe(File.ReadAllLines(file.Path));
        (await One<bool>($"select broken_line is null from egress_anchors where sandbox_id = {file.SandboxId}")).ShouldBeTrue();
    }

    [Fact]
    public async Task The_file_of_a_sandbox_that_is_gone_goes_once_all_of_it_is_stored_and_that_of_one_with_a_record_stays()
    {
        var kept = await Known();
        kept.Requests(1);
        var gone = new AuditFileOf(server).Requests(2).Append("{\"torn");
        var broken = new AuditFileOf(server).Requests(1).Append("{}\n");

        await Shipping.RemoveStored(Cancellation);

        (await Lines(gone)).Count.ShouldBe(4);
        Directory.Exists(Path.GetDirectoryName(gone.Path)).ShouldBeFalse();
        (await One<bool>($"select closed_at is not null from egress_anchors where sandbox_id = {gone.SandboxId}")).ShouldBeTrue();
        File.Exists(kept.Path).ShouldBeTrue();
        File.Exists(broken.Path).ShouldBeTrue("its chain does not hold");
        (await server.Api.Get($"/admin/egress/verify?sandbox_id={gone.SandboxId}")).Json!["holds"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task The_audit_of_a_sandbox_whose_keeper_is_found_here_is_never_removed()
    {
        var file = new AuditFileOf(server).Requests(1);
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(file.Path)!, "spec.json"), "{}");

        await Shipping.RemoveStored(Cancellation);

        File.Exists(file.Path).ShouldBeTrue();
    }

    /// <summary>A sandbox that the table knows.</summary>
    async Task<AuditFileOf> Known()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        return new AuditFileOf(server, await One<string>($"select sandbox_id from sandboxes where thread_key = {thread}")) { Thread = thread };
    }

    Task<IReadOnlyList<string>> Lines(AuditFileOf file) =>
        Database.Query($"select line from egress_records where sandbox_id = {file.SandboxId} order by record_id", row => row.GetString(0), Cancellation);

    async Task<T> One<T>(Sql sql) => (await Database.First(sql, row => row.GetFieldValue<T>(0), Cancellation))!;

    static double Figure(string text, string name) =>
        double.Parse(text.Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
}
