using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Server.Platform;

/// <summary>What this program is to whoever starts it: its questions, its exit codes, and its last words.</summary>
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
            if (args.Length > 1 || !args.All(StartChecks.All.Contains))
                throw new SettingsException($"centaur-server takes no arguments but {string.Join(", ", StartChecks.All)} and --crash-points; everything else is configured by centaur.yaml and the environment.");
            await using var app = compose(Settings.Load());
            if (args is [var check])
                return await StartChecks.Run(check, app, Console.Out, Console.Error);
            app.Services.GetRequiredService<BoundListeners>().MustBeFree();
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
