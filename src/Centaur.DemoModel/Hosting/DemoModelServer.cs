using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Centaur.DemoModel.Apis;
using Centaur.DemoModel.Apis.ChatCompletions;
using Centaur.DemoModel.Apis.Messages;
using Centaur.DemoModel.Apis.Responses;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Centaur.DemoModel.Hosting;

/// <summary>Kestrel with the three APIs.</summary>
internal static class DemoModelServer
{
    public static async Task Run(DemoModelOptions options, Stream announcements, CancellationToken cancellationToken)
    {
        using var recorder = new RequestRecorder(options.RecordFile, TimeProvider.System);
        await using var app = Build(options, recorder);
        await app.StartAsync(cancellationToken);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await announcements.WriteAsync(Encoding.UTF8.GetBytes(new JsonObject { ["listening"] = address }.Line() + "\n"), cancellationToken);
        await announcements.FlushAsync(cancellationToken);

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
        if (options.ParentPid is { } pid)
            await ParentEnded(pid, stopping.Token);
        else
            await app.WaitForShutdownAsync(cancellationToken);
    }

    static async Task ParentEnded(int pid, CancellationToken stoppingToken)
    {
        try
        {
            await ParentWatch.Ended(pid, TimeProvider.System, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // A signal came first.
        }
    }

    static WebApplication Build(DemoModelOptions options, RequestRecorder recorder)
    {
        // The other builders watch their working folder for settings that change, and all that is below it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(options.Listen!, listener =>
            {
                if (options.CertificateFile is { } certificate)
                    listener.UseHttps(X509Certificate2.CreateFromPemFile(certificate, options.KeyFile));
            });
        });

        var key = RequiredKey.FromFile(options.RequiredKeyFile);
        var app = builder.Build();
        foreach (var api in new IModelApi[] { new ResponsesApi(TimeProvider.System), new ChatCompletionsApi(TimeProvider.System), new MessagesApi(TimeProvider.System) })
            app.MapPost(api.Path, new ModelEndpoint(api, key, recorder).Handle);
        app.MapGet("/v1/models", new ModelList(key, recorder).Handle);
        app.MapFallback(context => ModelEndpoint.Refuse(context, new OpenAiVendor(),
            new ApiFault(StatusCodes.Status404NotFound, $"Invalid URL ({context.Request.Method} {context.Request.Path})")));
        return app;
    }
}
