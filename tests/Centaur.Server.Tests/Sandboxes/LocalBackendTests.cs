using System.Net.Sockets;
using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Local;

namespace Centaur.Server.Tests.Sandboxes;

public sealed class LocalBackendTests : IAsyncDisposable
{
    readonly string home = Directory.CreateTempSubdirectory("centaur-backend-").FullName;
    readonly HostLayout layout;

    public LocalBackendTests() => layout = new HostLayout(home, Path.Combine(home, "run"));

    [Fact]
    public async Task F13_a_machine_that_cannot_hold_the_sandboxs_files_fails_the_sandbox_and_not_the_server()
    {
        // A file where the folder should be stands for every way in which a disk refuses.
        await File.WriteAllTextAsync(Path.Combine(home, "sandboxes"), "", Cancellation);

        var refusal = await Should.ThrowAsync<SandboxStartException>(() => Backend().Connect(Row, TestContext.Current.CancellationToken));

        refusal.Message.ShouldStartWith("The sandbox could not be prepared on this machine:");
    }

    [Fact]
    public async Task Of_a_sandbox_that_nobody_ever_began_to_start_there_is_nothing_to_end_or_to_remove()
    {
        await Backend().Kill(Row, Cancellation);
        await Backend().Remove(Row, Cancellation);

        Directory.EnumerateFileSystemEntries(home).ShouldBeEmpty();
    }

    [Fact]
    public async Task F6_a_sandbox_that_another_keeper_is_still_starting_is_waited_for()
    {
        var tries = Path.Combine(home, "tries");
        var backend = Backend(await KeeperThat($"echo try >> {tries}; exit {SandboxSpec.KeptByAnother}"));

        var connecting = backend.Connect(Row, Cancellation);
        while (!File.Exists(tries) || (await File.ReadAllLinesAsync(tries, Cancellation)).Length < 2)
            await Task.Delay(5, Cancellation);
        using var first = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        first.Bind(new UnixDomainSocketEndPoint(Path.Combine(Directory.CreateDirectory(Path.Combine(layout.SandboxesRuntime, "sbx-1")).FullName, "attach.sock")));
        first.Listen();

        await using var stream = await connecting;
        using var met = await first.AcceptAsync(Cancellation);
        await stream.WriteAsync("hello"u8.ToArray(), Cancellation);
        (await met.ReceiveAsync(new byte[5], Cancellation)).ShouldBe(5);
    }

    [Fact]
    public async Task F6_a_keeper_that_keeps_its_sandbox_and_never_answers_is_a_failed_start_with_a_limit()
    {
        var backend = Backend(await KeeperThat($"exit {SandboxSpec.KeptByAnother}"), new SandboxOptions { StartLimit = TimeSpan.FromMilliseconds(500) });

        var refusal = await Should.ThrowAsync<SandboxStartException>(() => backend.Connect(Row, Cancellation));

        refusal.Message.ShouldStartWith("The sandbox did not start within");
    }

    [Fact]
    public async Task A_keeper_that_ends_for_any_other_reason_is_a_failed_start_with_its_last_words()
    {
        var backend = Backend(await KeeperThat("echo The moon is wrong. >&2; exit 1"));

        var refusal = await Should.ThrowAsync<SandboxStartException>(() => backend.Connect(Row, Cancellation));

        refusal.Message.ShouldBe("The sandbox did not start: The moon is wrong.");
    }

    static SandboxRow Row => new("sbx-1", "thread", "starting", 1, 0, 0, null, "folder");

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    LocalBackend Backend(string runner = "/nowhere/centaur-runner", SandboxOptions? options = null) => new(
        new HostIdentity("host", IsRoot: false, layout), options ?? new SandboxOptions(), new KeeperPrograms(runner, "/nowhere/centaur-proxy"), TimeProvider.System);

    async Task<string> KeeperThat(string script)
    {
        var program = Path.Combine(home, "keeper");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\n{script}\n", Cancellation);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return program;
    }

    /// <summary>The last keeper of a start that was given up is not waited for by anybody else.</summary>
    public async ValueTask DisposeAsync()
    {
        while (Directory.EnumerateDirectories("/proc").Any(IsKeeper))
            await Task.Delay(5);
        Directory.Delete(home, recursive: true);
    }

    bool IsKeeper(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/cmdline").Contains(home, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
