using System.Runtime.InteropServices;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep;

/// <summary><c>centaur-runner keep --spec FILE [--replay-only]</c>.</summary>
internal static class KeepProgram
{
    /// <summary>Exit codes: 0 the sandbox was served to its end, 1 it cannot be kept here, 2 the specification is wrong, <see cref="SandboxSpec.KeptByAnother"/>.</summary>
    public static async Task<int> Run(string specPath, bool replayOnly)
    {
        // Whoever started us may keep everything to itself; what a jail is to see is decided here, file by file.
        _ = Libc.umask(Convert.ToUInt32("022", 8));
        try
        {
            var spec = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(specPath), ProtocolJson.Default.SandboxSpec)!;
            Directory.CreateDirectory(spec.StateFolder, KeeperFolders.Private);
            using var held = KeeperLock.Take($"{spec.StateFolder}/keeper.lock");
            if (held is null)
            {
                await Console.Error.WriteLineAsync($"Another keeper has sandbox {spec.SandboxId}.");
                return SandboxSpec.KeptByAnother;
            }

            var signalled = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, signalled));
            using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, signalled));
            return await new SandboxKeeper(spec, TimeProvider.System).Run(replayOnly, signalled.Task, CancellationToken.None);
        }
        catch (JsonException failure)
        {
            await Console.Error.WriteLineAsync($"{specPath}: {failure.Message}");
            return 2;
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(failure.ToString());
            return 1;
        }
    }

    static void Stop(PosixSignalContext context, TaskCompletionSource<string> signalled)
    {
        context.Cancel = true;
        signalled.TrySetResult("The keeper was asked to stop by a signal.");
    }
}
