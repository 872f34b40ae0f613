using Centaur.Cli.Processes;
using Centaur.Cli.Secrets;
using Centaur.Protocol.Host;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Secrets;

public sealed class SecretFileTests : IAsyncDisposable
{
    readonly TemporaryHome home = new(input: "s3cret\n");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => home.DisposeAsync();

    [Fact]
    public async Task A_value_lies_in_a_file_of_the_brokers_own_and_nothing_else_is_left_beside_it()
    {
        home.Folders.MakeAll();
        SecretFile.Write(home.Context, "API_KEY", "old");
        SecretFile.Write(home.Context, "API_KEY", "new");

        var path = Directory.EnumerateFileSystemEntries(home.Context.Layout.SecretsFolder).ShouldHaveSingleItem();
        (await File.ReadAllTextAsync(path, Token)).ShouldBe("new");
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var owner = await ProcessRun.Of(new ProcessCommand("stat", "-c", "%u", path), Token);
        owner.Output.Trim().ShouldBe(home.Context.IsRoot ? $"{HostLayout.BrokerUid}" : $"{home.Context.Uid}");
    }

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("1ST")]
    [InlineData("A B")]
    [InlineData("NAME\n")]
    [InlineData("")]
    public void A_name_that_is_none_is_refused(string name) => Should.Throw<CliError>(() => SecretFile.Valid(name)).ExitCode.ShouldBe(ExitCode.Usage);

    [Fact]
    public async Task A_value_from_a_pipe_loses_its_line_end_and_nothing_else() =>
        (await SecretInput.Read(home.Context.Terminal, "X", Token)).ShouldBe("s3cret");

    [Fact]
    public async Task An_empty_value_is_refused()
    {
        await using var empty = new TemporaryHome(input: "\n");

        (await Should.ThrowAsync<CliError>(() => SecretInput.Read(empty.Context.Terminal, "X", Token))).Message.ShouldBe("The value is empty.");
    }
}
