using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>The key reaches the upstream and is nowhere else (invariant I4).</summary>
public sealed class KeyTests(Installation installation) : IClassFixture<Installation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("codex")]
    [InlineData("built-in")]
    public async Task F37_the_key_is_in_no_process_file_or_environment_of_the_jail_in_no_log_and_not_in_the_database(string harness)
    {
        var conversation = new Conversation(installation, harness);
        // A control key that the agent itself puts into its memory, its folder, the events and the database.
        var control = "sk-control-" + Guid.CreateVersion7().ToString("N");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var execution = await conversation.Start($"Run: export CONTROL={control}; echo $CONTROL > control.txt; until [ -e searched.txt ]; do sleep 0.5; done; echo done", Cancellation);
        await FileAppears(conversation, "control.txt");

        var key = new KeySearch(installation.Model.Key);
        var planted = new KeySearch(control);
        var jail = SandboxProcesses.Jail(installation, conversation.ThreadKey);

        jail.Count.ShouldBeGreaterThan(1);
        jail.SelectMany(key.Process).ShouldBeEmpty();
        jail.SelectMany(planted.Process).ShouldNotBeEmpty("the same search finds what is there");

        var home = HomeFolder(conversation);
        key.Files(home).ShouldBeEmpty();
        planted.Files(home).ShouldNotBeEmpty();
        await File.WriteAllTextAsync(Path.Combine(home, "workspace", "searched.txt"), "", Cancellation);

        (await conversation.End(execution, Cancellation)).GetProperty("status").GetString().ShouldBe("completed");
        var database = await Dump();
        key.IsIn(database).ShouldBeFalse();
        planted.IsIn(database).ShouldBeTrue();

        // Everything that Centaur keeps, but for the broker's own file and the model's.
        var kept = key.Files(installation.Home, installation.Layout.SecretsFolder, Path.GetDirectoryName(installation.Model.CaFile)!, installation.Layout.HarnessesFolder);
        kept.ShouldBeEmpty();
        installation.Model.Requests.ShouldContain(r => r["credential"]!.GetValue<string>() == "ok");
    }

    /// <summary>The jail's home as the jail sees it.</summary>
    string HomeFolder(Conversation conversation) =>
        $"/proc/{SandboxProcesses.Init(installation, conversation.ThreadKey)}/root/home/agent";

    async Task FileAppears(Conversation conversation, string name)
    {
        var path = Path.Combine(HomeFolder(conversation), "workspace", name);
        while (!File.Exists(path) || new FileInfo(path).Length == 0)
            await Task.Delay(50, Cancellation);
    }

    /// <summary>Every table as text.</summary>
    async Task<byte[]> Dump()
    {
        await using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        var tables = new List<string>();
        await using (var command = new NpgsqlCommand("select quote_ident(tablename) from pg_tables where schemaname = 'public'", connection))
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await reader.ReadAsync(Cancellation))
                tables.Add(reader.GetString(0));
        }

        using var dump = new MemoryStream();
        foreach (var table in tables)
        {
            using var copy = await connection.BeginTextExportAsync($"copy (select * from {table}) to stdout", Cancellation);
            dump.Write(System.Text.Encoding.UTF8.GetBytes(await copy.ReadToEndAsync(Cancellation)));
        }
        return dump.ToArray();
    }
}
