using System.Text.Json;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Platform.Telemetry.Metrics;
using Npgsql;

namespace Centaur.Server.Platform;

/// <summary>What every slice stands on: configuration, the database, wake-ups, listeners, error shapes, traces. It knows no noun of the product.</summary>
public static class PlatformSlice
{
    public static void AddPlatform(this WebApplicationBuilder builder, Settings settings, TimeProvider time)
    {
        var listeners = ListenerOptions.Read(settings);
        var database = DatabaseOptions.Read(settings);
        var bound = new BoundListeners(listeners);
        var services = builder.Services;

        builder.Logging.AddJsonConsole(json =>
        {
            json.UseUtcTimestamp = true;
            json.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            json.JsonWriterOptions = new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        });
        builder.Logging.SetMinimumLevel(Enum.Parse<LogLevel>(settings.Root.Section("log").Choice("level", "Information", ["Trace", "Debug", "Information", "Warning", "Error"])));
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(bound.Open);
        services.AddRouting();
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. listeners.CorsOrigins]).AllowAnyMethod().AllowAnyHeader()));
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.AddOpenApi(ApiDocument.Describe);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));

        services.AddSingleton(time);
        services.AddSingleton(settings.Host);
        services.AddSingleton(listeners);
        services.AddSingleton(bound);
        services.AddSingleton<BodyMemory>();
        settings.Variable("SANDBOX_SIGNING_KEY");
        services.AddSingleton(_ => SigningKey.Of(settings));
        services.AddSingleton(_ => NpgsqlDataSource.Create(database.ConnectionString));
        services.AddSingleton(CrashPoints.Read(settings));
        services.AddSingleton<PostgresDatabase>();
        services.AddSingleton<Migrator>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<WakeUps>();
        services.AddSingleton<ThreadTraces>();
        services.AddSingleton<RequestMetrics>();
        services.AddSingleton<Alerts>();
        services.AddSingleton(provider => provider.GetRequiredService<Alerts>().Count);
        services.AddSingleton<IGaugeSource, WorkerGauges>();
        services.AddHostedService<SchemaStart>();
        services.AddHostedService<NotificationRelay>();
        services.AddSingleton(LeaseOptions.Read(settings));
        services.AddSingleton<WorkerLease>();
        services.AddHostedService(provider => provider.GetRequiredService<WorkerLease>());
        services.AddHostedService<ServerStateWriter>();
    }

    /// <summary>What every request passes, from the outside in.</summary>
    public static void UsePlatform(this WebApplication app)
    {
        app.UseMiddleware<RequestMeter>();
        app.UseMiddleware<Failures>();
        app.UseMiddleware<TraceHeaders>();
        app.UseCors();
        app.UseRouting();
        app.UseStatusCodePages(status => ApiFailure.Detail(status.HttpContext.Response.StatusCode, RefusalOf(status.HttpContext.Response.StatusCode)).ExecuteAsync(status.HttpContext));
        app.UseMiddleware<ListenerGate>();
    }

    static string RefusalOf(int status) => status switch
    {
        StatusCodes.Status405MethodNotAllowed => "Method Not Allowed",
        StatusCodes.Status415UnsupportedMediaType => "This route does not take a body of this Content-Type: send JSON as application/json, a repository bundle as application/octet-stream.",
        _ => "The request is malformed",
    };

    public static void MapPlatform(this WebApplication app)
    {
        app.MapHealth();
        app.MapMetrics();
        app.MapOpenApi("/openapi.json").WithMetadata(new OpenRoute());
    }
}
