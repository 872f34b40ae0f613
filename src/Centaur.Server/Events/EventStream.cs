using System.IO.Pipelines;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.OpenApi;

namespace Centaur.Server.Events;

/// <summary>
/// <c>GET /agent/threads/{thread_key}/events</c> (contract §1.6, design §4).
/// <para>1. The watch is armed before the table is read, so that no append falls in between.</para>
/// <para>2. What the table holds after the cursor is written, in batches that are bounded in rows and bytes; the next batch is read when the reader has taken this one.</para>
/// <para>3. Where one execution is asked for and it has ended, the table is read once more (its last events were committed with its end), and the stream ends; a reader that got
/// nothing on this connection gets one snapshot of the state first.</para>
/// <para>4. Else the stream waits for a wake-up, a live delta, or the next keepalive, whichever is first.</para>
/// </summary>
internal sealed class EventStream(EventStore events, LiveDeltas deltas, WakeUps wakeUps, TimeProvider time)
{
    const int BatchRows = 200;
    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/agent/threads/{thread_key}/events", Handle)
            .Needs(Scopes.Execute).WithTags("threads").WithSummary("Follow a thread's events (server-sent events)")
            .WithDescription("Each event has an id, a kind and a JSON object. A reader that comes back names the last id that it has. With execution_id the stream ends when the execution has ended.")
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.Parameters =
                [
                    Parameter("after_event_id", ParameterLocation.Query, JsonSchemaType.Integer, "The last event that the reader has; 0, the default, is the thread's beginning."),
                    Parameter("execution_id", ParameterLocation.Query, JsonSchemaType.String, "One execution alone."),
                    Parameter("live", ParameterLocation.Query, JsonSchemaType.String, "1: also pieces of an answer before they are stored; they have no id."),
                    Parameter("poll_ms", ParameterLocation.Query, JsonSchemaType.Integer, "Accepted and not needed: readers are woken."),
                    Parameter("Last-Event-ID", ParameterLocation.Header, JsonSchemaType.Integer, "As after_event_id; a browser sends it when it reconnects. The greater one counts."),
                ];
                return Task.CompletedTask;
            })
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream").Produces<DetailBody>(400).Produces<DetailBody>(404);

    static OpenApiParameter Parameter(string name, ParameterLocation place, JsonSchemaType type, string meaning) =>
        new() { Name = name, In = place, Description = meaning, Schema = new OpenApiSchema { Type = type } };

    static async Task<IResult> Handle(HttpContext http, EventStore events, LiveDeltas deltas, WakeUps wakeUps, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Caller().RefusalFor(threadKey) is { } foreign)
            return foreign;
        var read = EventCursor.Read(http.Request);
        if (read.Failure is { } nonsense)
            return nonsense;
        var cursor = read.Value;
        if (cursor.AfterEventId > 0 && cursor.AfterEventId > await events.LastIssued(http.RequestAborted))
            return ApiFailure.Detail(StatusCodes.Status400BadRequest, "after_event_id is ahead of the event log: no event has this id yet. Read from 0, or from the last id that this server gave you.");
        if (!await events.Knows(threadKey, cursor.ExecutionId, http.RequestAborted))
            return ApiFailure.Detail(StatusCodes.Status404NotFound, cursor.ExecutionId is null ? "thread not found" : "execution not found");

        http.TraceThread(threadKey);
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        // A reader may be as slow as it likes: what waits for it is one batch.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } pace)
            pace.MinDataRate = null;
        await http.Response.StartAsync(http.RequestAborted);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await new EventStream(events, deltas, wakeUps, time).Follow(threadKey, cursor, http.Response.BodyWriter, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // A proper end would say that the execution is over: the connection is cut instead, and the reader comes back with its cursor.
            http.Abort();
        }
        catch (Exception e) when (Platform.Database.Outages.IsOutage(e))
        {
            http.Abort();
        }

        return Results.Empty;
    }

    async Task Follow(string threadKey, EventCursor from, PipeWriter output, CancellationToken cancellationToken)
    {
        using var watch = wakeUps.Watch(Topics.Thread(threadKey));
        using var live = from.Live ? deltas.Subscribe(threadKey, from.ExecutionId) : null;
        var (after, emitted) = (from.AfterEventId, false);
        await output.FlushAsync(cancellationToken);
        while (true)
        {
            var woken = watch.Next();
            await WriteDeltas(live, output, cancellationToken);
            if (await WriteStored() > 0)
                continue;

            if (from.ExecutionId is { } executionId && await events.EndOf(executionId, cancellationToken) is { } end)
            {
                while (await WriteStored() > 0)
                {
                }

                if (!emitted)
                    EventFrames.Write(output, Math.Max(after, end.LastEventId), "execution_state", end.SnapshotJson);
                await output.FlushAsync(cancellationToken);
                return;
            }

            if (!await Wait(woken, live, cancellationToken))
            {
                EventFrames.WriteKeepAlive(output);
                await output.FlushAsync(cancellationToken);
            }
        }

        async Task<int> WriteStored()
        {
            var count = await Fill();
            emitted |= count > 0;
            if (count > 0)
                await output.FlushAsync(cancellationToken);
            return count;
        }

        // Apart, so that a reader that does not read holds the bytes of its batch, and not its texts as well.
        async Task<int> Fill()
        {
            var batch = await events.After(threadKey, from.ExecutionId, after, BatchRows, cancellationToken);
            foreach (var stored in batch)
            {
                EventFrames.Write(output, stored.EventId, stored.Kind, stored.Json);
                after = stored.EventId;
            }

            return batch.Count;
        }
    }

    static async Task WriteDeltas(LiveDeltas.Subscription? live, PipeWriter output, CancellationToken cancellationToken)
    {
        var any = false;
        while (live is not null && live.Deltas.Reader.TryRead(out var delta))
        {
            EventFrames.Write(output, null, delta.Kind, delta.Json);
            any = true;
        }

        if (any)
            await output.FlushAsync(cancellationToken);
    }

    /// <returns>False where nothing happened and it is time for a sign of life.</returns>
    async Task<bool> Wait(Task woken, LiveDeltas.Subscription? live, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var silence = Task.Delay(KeepAlive, time, stop.Token);
        var first = live is null
            ? await Task.WhenAny(woken, silence)
            : await Task.WhenAny(woken, silence, live.Deltas.Reader.WaitToReadAsync(stop.Token).AsTask());
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return first != silence;
    }
}
