using Centaur.Server.Access;
using Centaur.Server.Attachments;
using Centaur.Server.Deliveries;
using Centaur.Server.Egress;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Sandboxes;
using Centaur.Server.Secrets;
using Centaur.Server.Slack;
using Centaur.Server.Threads;

namespace Centaur.Server;

/// <summary>The composition root: what the control plane is made of, in order.</summary>
public static class Program
{
    public static Task<int> Main(string[] args) => ServerProgram.Run(args, Compose);

    /// <summary>The whole server, not yet started.</summary>
    /// <exception cref="SettingsException">The settings are wrong.</exception>
    public static WebApplication Compose(Settings settings) => Compose(settings, TimeProvider.System);

    /// <summary>The same on a machine whose clock is another.</summary>
    public static WebApplication Compose(Settings settings, TimeProvider time)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.AddPlatform(settings, time);
        builder.Services.AddAccess(settings);
        builder.Services.AddEvents(settings);
        builder.Services.AddSecrets(settings);
        builder.Services.AddSandboxes(settings);
        builder.Services.AddEgress(settings);
        builder.Services.AddHarnesses();
        builder.Services.AddAttachments(settings);
        builder.Services.AddThreads(settings);
        builder.Services.AddDeliveries(settings);
        builder.Services.AddExecutions(settings);
        builder.Services.AddSlack(settings);
        settings.Verify();

        var app = builder.Build();
        app.UsePlatform();
        app.UseAccess();
        app.MapPlatform();
        app.MapAccess();
        app.MapEvents();
        app.MapSecrets();
        app.MapSandboxes();
        app.MapEgress();
        app.MapAttachments();
        app.MapThreads();
        app.MapDeliveries();
        app.MapExecutions();
        app.MapSlack();
        return app;
    }
}
