using Centaur.Cli.Processes;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Cli.Stack;

/// <summary>Held while programs are brought up or down, so that two commands at once become one after the other.</summary>
internal sealed class UpLock : IDisposable
{
    readonly SafeFileHandle file;

    UpLock(SafeFileHandle file) => this.file = file;

    public static async Task<UpLock> Take(CliContext context, CancellationToken cancellationToken)
    {
        new HostFolders(context).MakeHome();
        var opened = Native.OpenLockFile(context.Layout.UpLockFile);
        if (!Native.TryLock(opened))
        {
            context.Terminal.Note("Another centaur command is bringing this home up or down; waiting for it …");
            var waiting = Task.Factory.StartNew(() => Native.Lock(opened), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await waiting.WaitAsync(cancellationToken);
        }

        return new UpLock(opened);
    }

    public void Dispose() => file.Dispose();
}
