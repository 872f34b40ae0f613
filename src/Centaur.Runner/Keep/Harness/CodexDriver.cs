using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness.Codex;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// Speaks with <c>codex app-server</c> (contract §4.2): JSON-RPC without its version member, one object a line. Nothing here waits for an answer, because
/// answers come through <see cref="Receive"/>: every request is remembered with what its answer leads to.
/// <code>
/// (1) initialize → initialized, thread/start or thread/resume → the thread's id
/// (2) turn/start → the turn's id, which steering and interrupting need: what came earlier waits for it
/// (3) turn/steer; where codex refuses it, the turn is interrupted and the words open another turn of codex within the same turn of ours
/// (4) turn/completed ends our turn, but only once no steering is unanswered: one that came too late must not be lost
/// </code>
/// </summary>
internal sealed class CodexDriver : IHarnessDriver
{
    readonly CodexCalls calls = new();
    readonly CodexUsage usage = new();
    readonly CodexTurn turn = new();
    HarnessLaunch launch = null!;
    IHarnessPipe pipe = null!;
    string? threadId;
    string? startFailure;

    public HarnessCommand Command(HarnessLaunch launch)
    {
        var files = new List<HarnessFile> { new(CodexConfig.Path, CodexConfig.Text(launch)) };
        if (launch.Instructions is { } instructions)
            files.Add(new HarnessFile(JailPaths.Workspace + "/AGENTS.md", instructions));
        return new HarnessCommand([launch.Program, "app-server", "--listen", "stdio://"], launch.Environment, files);
    }

    public async Task Start(HarnessLaunch launch, IHarnessPipe pipe, CancellationToken cancellationToken)
    {
        this.launch = launch;
        this.pipe = pipe;
        await Emit(CodexEvents.Heartbeat("startup"), cancellationToken);
        await Call("initialize", CodexRequests.Initialize(launch), OnInitialized, OnStartFailed, cancellationToken);
    }

    public async Task StartTurn(JsonElement message, CancellationToken cancellationToken)
    {
        turn.Begin(CodexRequests.Input(message));
        if (startFailure is { } failure)
            await Fail(failure, cancellationToken);
        else if (threadId is not null)
            await OpenTurn(cancellationToken);
    }

    public async Task<bool> Steer(JsonElement message, CancellationToken cancellationToken)
    {
        if (!turn.Running)
            return false;
        turn.Steering.Add(CodexRequests.Input(message));
        await SendSteering(cancellationToken);
        return true;
    }

    public async Task Interrupt(CancellationToken cancellationToken)
    {
        if (!turn.Running)
            return;
        turn.Interrupted = true;
        if (threadId is null)
            await Fail("interrupted", cancellationToken);
        else
            await SendInterrupt(cancellationToken);
    }

    public async Task Receive(JsonElement line, CancellationToken cancellationToken)
    {
        try
        {
            await Take(line, cancellationToken);
        }
        catch (InvalidOperationException)
        {
            // A string with half a surrogate pair passes for JSON until somebody reads it.
            await Emit(CodexEvents.Status("codex wrote a line that cannot be read."), cancellationToken);
        }
    }

    Task Take(JsonElement line, CancellationToken cancellationToken)
    {
        var parameters = line.Member("params") ?? default;
        return (line.Text("method"), line.Member("id")) switch
        {
            ({ } method, { } id) => Write(CodexApprovals.Answer(id, method, parameters), cancellationToken),
            ({ } method, null) => OnNotification(method, parameters, cancellationToken),
            (null, { } id) => calls.Resolve(id, line, cancellationToken),
            _ => Task.CompletedTask,
        };
    }

    // (1)
    async Task OnInitialized(JsonElement result, CancellationToken cancellationToken)
    {
        await Write(new JsonObject { ["method"] = "initialized" }, cancellationToken);
        await Emit(CodexEvents.Heartbeat("app_server_started"), cancellationToken);
        if (launch.ResumeThreadId is { } resumed)
            await Call("thread/resume", CodexRequests.Thread(launch, resumed), OnThread, OnResumeFailed, cancellationToken);
        else
            await Call("thread/start", CodexRequests.Thread(launch, null), OnThread, OnStartFailed, cancellationToken);
    }

    async Task OnThread(JsonElement result, CancellationToken cancellationToken)
    {
        if (result.Member("thread")?.Text("id") is not { } id)
        {
            await OnStartFailed("it named no thread", cancellationToken);
            return;
        }

        threadId = id;
        await Emit(CodexEvents.ThreadStarted(threadId, result), cancellationToken);
        if (turn.Running)
            await OpenTurn(cancellationToken);
    }

    /// <summary>The conversation cannot be found again: the turn is worth more than the memory, so it goes on without, and says so.</summary>
    async Task OnResumeFailed(string message, CancellationToken cancellationToken)
    {
        await Emit(CodexEvents.Status($"codex could not resume its conversation and starts a new one: {message}"), cancellationToken);
        await Call("thread/start", CodexRequests.Thread(launch, null), OnThread, OnStartFailed, cancellationToken);
    }

    Task OnStartFailed(string message, CancellationToken cancellationToken)
    {
        startFailure = $"codex did not start: {message}";
        return turn.Running ? Fail(startFailure, cancellationToken) : Task.CompletedTask;
    }

    // (2)
    Task OpenTurn(CancellationToken cancellationToken)
    {
        var input = turn.TakeInput();
        return CodexRequests.GoalOf(input) is { } goal
            ? Call("thread/goal/set", CodexRequests.Goal(threadId!, goal), OnGoalSet, Fail, cancellationToken)
            : Call("turn/start", CodexRequests.Turn(threadId!, input), OnTurnStarted, Fail, cancellationToken);
    }

    async Task OnTurnStarted(JsonElement result, CancellationToken cancellationToken)
    {
        if (!turn.Running || turn.Completion is not null)
            return;
        turn.Id = CodexEvents.TurnOf(result);
        if (turn.Interrupted)
            await SendInterrupt(cancellationToken);
        else
            await SendSteering(cancellationToken);
    }

    async Task OnGoalSet(JsonElement result, CancellationToken cancellationToken)
    {
        await Emit(CodexEvents.AgentMessage("Goal set."), cancellationToken);
        await End(JsonLine.Of(CodexEvents.GoalCompleted(threadId!)), cancellationToken);
    }

    // (3)
    async Task SendSteering(CancellationToken cancellationToken)
    {
        if (turn.Id is not { } id)
            return;
        foreach (var input in turn.TakeSteering())
        {
            turn.UnansweredSteering++;
            await Call("turn/steer", CodexRequests.Steer(threadId!, id, input), (_, token) => OnSteered(null, token),
                (_, token) => OnSteered(input, token), cancellationToken);
        }
    }

    async Task OnSteered(JsonArray? refused, CancellationToken cancellationToken)
    {
        turn.UnansweredSteering--;
        if (refused is not null)
            turn.AddInput(refused);
        if (turn.Completion is { } completion)
            await Complete(completion, cancellationToken);
        else if (refused is not null)
            await SendInterrupt(cancellationToken);
    }

    Task SendInterrupt(CancellationToken cancellationToken) =>
        turn.Id is { } id
            ? Call("turn/interrupt", CodexRequests.Interrupt(threadId!, id), Ignore, Ignore, cancellationToken)
            : Task.CompletedTask;

    // (4)
    async Task Complete(JsonElement completion, CancellationToken cancellationToken)
    {
        turn.Completion = completion;
        if (turn.UnansweredSteering > 0)
            return;
        turn.Completion = null;
        turn.Id = null;
        turn.ReturnSteering();
        if (turn.HasInput && !turn.Interrupted)
        {
            await Emit(CodexEvents.Status("The new message goes on in another step."), cancellationToken);
            await OpenTurn(cancellationToken);
            return;
        }

        await End(CodexEvents.TurnEnded(completion, usage.TakeTurn()), cancellationToken);
    }

    Task OnNotification(string method, JsonElement parameters, CancellationToken cancellationToken)
    {
        if (CodexEvents.ThreadOf(parameters) is { } thread && threadId is not null && thread != threadId)
            return CodexEvents.OfSubagent(thread, method, parameters) is { } activity ? Emit(activity, cancellationToken) : Task.CompletedTask;
        switch (method)
        {
            case "thread/started":
                // Told once, with the answer that carries the same thread.
                return Task.CompletedTask;
            case "turn/completed":
                // Codex also runs turns that nobody asked for, to pursue a goal. Ours is told before it can end.
                return turn.Id is { } ours && CodexEvents.TurnOf(parameters) == ours
                    ? Complete(parameters, cancellationToken)
                    : Emit(CodexEvents.Status("codex ended a turn of its own."), cancellationToken);
            case "thread/tokenUsage/updated":
                usage.Update(parameters);
                break;
        }

        return pipe.Emit(CodexEvents.Of(method, parameters), cancellationToken);
    }

    async Task Fail(string message, CancellationToken cancellationToken)
    {
        await Emit(CodexEvents.Error(message), cancellationToken);
        await End(JsonLine.Of(CodexEvents.TurnFailed(message)), cancellationToken);
    }

    async Task End(ReadOnlyMemory<byte> terminal, CancellationToken cancellationToken)
    {
        await pipe.Emit(terminal, cancellationToken);
        turn.Reset();
        pipe.EndTurn();
    }

    static Task Ignore(JsonElement result, CancellationToken cancellationToken) => Task.CompletedTask;

    static Task Ignore(string message, CancellationToken cancellationToken) => Task.CompletedTask;

    Task Call(
        string method, JsonObject parameters, Func<JsonElement, CancellationToken, Task> succeeded, Func<string, CancellationToken, Task> failed,
        CancellationToken cancellationToken) =>
        Write(calls.Open(method, parameters, succeeded, failed), cancellationToken);

    Task Write(JsonObject message, CancellationToken cancellationToken) => pipe.Write(JsonLine.Of(message), cancellationToken);

    Task Emit(JsonObject happened, CancellationToken cancellationToken) => pipe.Emit(JsonLine.Of(happened), cancellationToken);
}
