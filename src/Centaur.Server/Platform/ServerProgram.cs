using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Faults;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Server.Platform;

/// <summary>What this program is to whoever starts it: its two questions, its exit codes, and its last words.</summary>
internal static class ServerProgram
{
    const int WrongConfiguration = 78;

    public static async Task<int> Run(string[] args, Func<Settings, WebApplication> compose)
    {
        try
        {
            if (args is ["--crash-points"])
            {
                await Console.Out.WriteLineAsync(string.Join('\n', CrashPoints.All));
                return 0;
            }
            if (args is not ([] or ["--check-config"]))
                throw new SettingsException("centaur-server takes no arguments but --check-config and --crash-points; everything else is configured by centaur.yaml and the environment.");

            await using var app = compose(Settings.Load());
            if (args is ["--check-config"])
                return 0;
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return WrongConfiguration;
        }
        catch (Exception e) when ((e as AddressInUseException ?? e.InnerException) is AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"{e.Message} Stop the program that holds it, or choose another address under listen: in centaur.yaml.");
            return 1;
        }
    }
}
