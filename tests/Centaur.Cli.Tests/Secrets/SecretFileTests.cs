using Centaur.Cli.Commands;
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

    [Theory]
    [InlineData("vault_kv:secret", "vault_kv:secret/apps/billing#token")]
    [InlineData("vault:secret/a#b", "\"vault\" is not a source; known: file, env, vault_kv")]
    [InlineData("1password:op://only", "1password:op://Production/Billing/token")]
    [InlineData("env:OP_CONNECT_TOKEN", "can never be granted")]
    public async Task A_source_that_is_none_is_refused_with_one_that_is_and_nothing_is_read(string source, string said)
    {
        (await CentaurCommand.Run(["secrets", "set", "ACME_TOKEN", "--host", "api.acme.dev", "--source", source], home.Context, Token)).ShouldBe(ExitCode.Usage);

        home.Error.ShouldContain(said);
        home.Error.ShouldContain("Nothing was stored.");
    }

    [Fact]
    public async Task A_value_from_a_pipe_loses_its_line_end_and_nothing_else() =>
        (await SecretInput.Read(home.Context.Terminal, "X", Token)).ShouldBe("s3cret");

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("nul\0")]
    [InlineData("return\rhere")]
    [InlineData("{\"key\": \"\0\"}")]
    public async Task A_value_that_no_header_can_carry_is_refused(string value)
    {
        await using var input = new TemporaryHome(input: value);

        (await Should.ThrowAsync<CliError>(() => SecretInput.Read(input.Context.Terminal, "X", Token))).ExitCode.ShouldBe(ExitCode.Usage);
    }

    [Theory]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----")]
    [InlineData("{\n  \"type\": \"service_account\"\n}")]
    public async Task A_key_that_only_the_proxy_reads_keeps_its_lines(string value)
    {
        await using var input = new TemporaryHome(input: value + "\n");

        (await SecretInput.Read(input.Context.Terminal, "X", Token)).ShouldBe(value);
    }

    [Fact]
    public async Task At_a_terminal_Enter_and_Ctrl_D_end_the_value_and_nothing_is_shown()
    {
        (await SecretInput.FromTerminal(home.Context.Terminal, "X", Keys("ab\bc\r"), Token)).ShouldBe("ac");
        (await SecretInput.FromTerminal(home.Context.Terminal, "X", Keys("\x04"), Token)).ShouldBe("");

        home.Error.ShouldBe("Value of X (not shown): \nValue of X (not shown): \n");
        home.Output.ShouldBe("");
    }

    [Fact]
    public async Task At_a_terminal_Ctrl_C_ends_the_wait_for_a_key()
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var asked = new SemaphoreSlim(0);
        using var never = new ManualResetEventSlim();
        var reading = SecretInput.FromTerminal(home.Context.Terminal, "X", () =>
        {
            asked.Release();
            never.Wait(Token);
            return default;
        }, interrupt.Token);
        await asked.WaitAsync(Token);

        await interrupt.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => reading);
        never.Set();
    }

    [Theory]
    [InlineData("--host", "https://a.b/x", "is not a host name")]
    [InlineData("--host", "a b", "is not a host name")]
    [InlineData("--host", "a.b\r\nX: y", "is not a host name")]
    [InlineData("--host", "*.com", "below a top-level domain")]
    [InlineData("--header", "X Key", "is not the name of a header")]
    public async Task A_binding_that_no_request_can_meet_is_refused_before_the_value_is_read(string option, string text, string why)
    {
        string[] host = option == "--host" ? [] : ["--host", "a.example.com"];

        (await CentaurCommand.Run(["secrets", "set", "X", .. host, option, text], home.Context, Token)).ShouldBe(ExitCode.Usage);

        home.Error.ShouldContain(why);
        Directory.Exists(home.Context.Layout.SecretsFolder).ShouldBeFalse();
    }

    static Func<ConsoleKeyInfo> Keys(string typed)
    {
        var left = new Queue<char>(typed);
        return () => left.Dequeue() switch
        {
            '\r' => new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false),
            '\b' => new ConsoleKeyInfo('\b', ConsoleKey.Backspace, false, false, false),
            '\x04' => new ConsoleKeyInfo('\x04', ConsoleKey.D, false, false, true),
            var letter => new ConsoleKeyInfo(letter, ConsoleKey.A, false, false, false),
        };
    }

    [Fact]
    public async Task An_empty_value_is_refused()
    {
        await using var empty = new TemporaryHome(input: "\n");

        (await Should.ThrowAsync<CliError>(() => SecretInput.Read(empty.Context.Terminal, "X", Token))).Message.ShouldBe("The value is empty.");
    }
}
