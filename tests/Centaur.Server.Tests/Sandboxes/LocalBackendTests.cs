using Centaur.Protocol.Host;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Local;

namespace Centaur.Server.Tests.Sandboxes;

public sealed class LocalBackendTests : IDisposable
{
    readonly string home = Directory.CreateTempSubdirectory("centaur-backend-").FullName;

    [Fact]
    public async Task F13_a_machine_that_cannot_hold_the_sandboxs_files_fails_the_sandbox_and_not_the_server()
    {
        // A file where the folder should be stands for every way in which a disk refuses.
        await File.WriteAllTextAsync(Path.Combine(home, "sandboxes"), "", TestContext.Current.CancellationToken);

        var refusal = await Should.ThrowAsync<SandboxStartException>(() => Backend().Connect(Row, TestContext.Current.CancellationToken));

        refusal.Message.ShouldStartWith("The sandbox could not be prepared on this machine:");
    }

    [Fact]
    public async Task Of_a_sandbox_that_nobody_ever_began_to_start_there_is_nothing_to_end_or_to_remove()
    {
        await Backend().Kill(Row, TestContext.Current.CancellationToken);
        await Backend().Remove(Row, TestContext.Current.CancellationToken);

        Directory.EnumerateFileSystemEntries(home).ShouldBeEmpty();
    }

    static SandboxRow Row => new("sbx-1", "thread", "starting", 1, 0, 0, null, "folder");

    LocalBackend Backend() => new(
        new HostIdentity("host", IsRoot: false, new HostLayout(home, Path.Combine(home, "run"))), new SandboxOptions(),
        new KeeperPrograms("/nowhere/centaur-runner", "/nowhere/centaur-proxy"), TimeProvider.System);

    public void Dispose() => Directory.Delete(home, recursive: true);
}
