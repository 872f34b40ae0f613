namespace Centaur.Server.Sandboxes;

/// <summary>A sandbox that this worker owns, with its attachment.</summary>
internal sealed class OwnedSandbox(SandboxRow row, KeeperConnection keeper) : IAsyncDisposable
{
    public SandboxRow Row => row;

    public KeeperConnection Keeper => keeper;

    public ValueTask DisposeAsync() => keeper.DisposeAsync();
}
