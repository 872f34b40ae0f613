using Centaur.Server.Access;
using Centaur.Server.Attachments;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Sandboxes;
using Centaur.Server.Secrets;
using Centaur.Server.Threads;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Server;

/// <summary>The composition root: what the control plane is made of, in order.</summary>
public static class Program
{
    const int WrongConfiguration = 78;

    public static async Task<int> Main(string[] args)
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
            await using var app = Compose(Settings.Load());
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

    /// <summary>The whole server, not yet started.</summary>
    /// <exception cref="SettingsException">The settings are wrong.</exception>
    public static WebApplication Compose(Settings settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.AddPlatform(settings);
        builder.Services.AddAccess(settings);
        builder.Services.AddEvents();
        builder.Services.AddSecrets(settings);
        builder.Services.AddSandboxes(settings);
        builder.Services.AddHarnesses();
        builder.Services.AddAttachments();
        builder.Services.AddThreads(settings);
        builder.Services.AddExecutions(settings);
        settings.Verify();

        var app = builder.Build();
        app.UsePlatform();
        app.UseAccess();
        app.MapPlatform();
        app.MapAccess();
        app.MapEvents();
        app.MapSecrets();
        app.MapAttachments();
        app.MapThreads();
        app.MapExecutions();
        return app;
    }
}
