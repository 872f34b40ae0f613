using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Centaur.Proxy.Management;

/// <summary>SIGHUP is the command to reload, for whoever has no listener for it.</summary>
sealed class HangUps : IDisposable
{
    // One that waits stands for all that came meanwhile: the file is read after it.
    readonly Channel<bool> heard = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly PosixSignalRegistration registration;

    public HangUps() => registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true;
        heard.Writer.TryWrite(true);
    });

    /// <summary>Obeys until the program is to end.</summary>
    public async Task Serve(Func<CancellationToken, Task<string?>> reload, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var _ in heard.Reader.ReadAllAsync(stoppingToken))
                await reload(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    public void Dispose() => registration.Dispose();
}
