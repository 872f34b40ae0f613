using System.Net.Sockets;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry;
using Npgsql;

namespace Centaur.Server.Platform.Http;

/// <summary>The one place where what nobody expected becomes HTTP. No exception's text leaves the process; the log has it.</summary>
internal sealed class Failures(RequestDelegate next, Readiness readiness, Alerts alerts, ILogger<Failures> log)
{
    const int DiskFull = 28;

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody listens any more.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var failure = FailureOf(e);
            if (failure.Status == StatusCodes.Status507InsufficientStorage)
                alerts.Raise(e is PostgresException ? Alerts.DatabaseDiskFull : Alerts.ServerDiskFull, $"{http.Request.Method} {http.Request.Path} could not be stored: {e.Message}");
            if (failure.Status >= StatusCodes.Status500InternalServerError && e is not BodyMemoryException)
                HttpLog.RequestFailed(log, http.Request.Method, http.Request.Path, failure.Status, e);
            http.Response.Clear();
            await failure.ExecuteAsync(http);
        }
    }

    ApiFailure FailureOf(Exception e) => e switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiFailure.Detail(413, "The request's body is larger than this server takes."),
        BadHttpRequestException bad => ApiFailure.Detail(bad.StatusCode, "The request is malformed."),
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire } => ApiFailure.Detail(400, "The request holds a NUL character, which cannot be stored."),
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => ApiFailure.Detail(507, "The database's disk is full. Nothing was stored."),
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable } when !readiness.IsReady => ApiFailure.Unavailable("The server is starting: the database is not migrated yet."),
        BodyMemoryException => ApiFailure.Unavailable("The server has more requests under way than it has memory for. Nothing was stored; try again."),
        _ when Outages.IsOutage(e) => ApiFailure.Unavailable("The database cannot be reached. Try again: under the same id nothing is done twice."),
        IOException { HResult: DiskFull } => ApiFailure.Detail(507, "The server's disk is full. Nothing was stored."),
        _ => ApiFailure.Detail(StatusCodes.Status500InternalServerError, "Internal Server Error"),
    };
}
