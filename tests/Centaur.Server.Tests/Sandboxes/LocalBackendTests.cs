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
        var layout = new HostLayout(home, Path.Combine(home, "run"));
        var backend = new LocalBackend(
            new HostIdentity("host", IsRoot: false, layout), new SandboxOptions(), new KeeperPrograms("/nowhere/centaur-runner", "/nowhere/centaur-proxy"), TimeProvider.System);

        var refusal = await Should.ThrowAsync<SandboxStartException>(() => backend.Connect(
            new SandboxRow("sbx-1", "thread", "starting", 1, 0, 0, null, "folder"), TestContext.Current.CancellationToken));

        refusal.Message.ShouldStartWith("The sandbox could not be prepared on this machine:");
    }

    public void Dispose() => Directory.Delete(home, recursive: true);
}
