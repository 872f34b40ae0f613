using System.Security.Cryptography;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Ask;

/// <summary>
/// One question, from the prompt to its answer:
/// <list type="number">
/// <item>bring everything up if it is not;</item>
/// <item>where the server has no model for the harness, start the demo model, and say so;</item>
/// <item>spawn the thread's assignment, hand the repository over, store the message, ask for the execution. Every request carries an id of this question,
/// so that a repeat, by us or by a user who gives <c>--id</c>, is the same execution;</item>
/// <item>follow the events until the execution is over, across restarts of the server;</item>
/// <item>fetch the answer.</item>
/// </list>
/// </summary>
internal sealed class AskTurn(CliContext given, AskRequest request)
{
    readonly CliContext context = request.Quiet ? given with { Terminal = given.Terminal.WithoutNotes() } : given;
    const int MostFailures = 60;
    const string OtherHarness = "ACTIVE_ASSIGNMENT_PROMPT_MISMATCH";

    /// <summary>So long may the server take to hear that the question is taken back.</summary>
    static readonly TimeSpan TellLimit = TimeSpan.FromSeconds(5);

    readonly string id = request.Id ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    readonly bool isLocal = given.Variable("CENTAUR_API_URL") is null;

    string ThreadKey => request.ThreadKey ?? $"cli-{id}";

    public async Task<int> Run(CancellationToken cancellationToken)
    {
        var begun = context.Time.GetTimestamp();
        var repository = request.Repository is null ? null : await RepositoryBundle.Of(request.Repository, cancellationToken);

        // 1
        if (isLocal)
            await LocalStack.EnsureUp(context, cancellationToken);
        using var api = ApiClient.Of(context);

        // 2
        var demo = isLocal && await UsesDemoModel(api, cancellationToken);

        // 3
        var generation = await Prepare(api, repository, cancellationToken);

        string executionId;
        using (context.Interruption?.UntilTold())
        {
            executionId = await Execute(api, generation, repository, demo, cancellationToken);

            // 4
            try
            {
                await Follow(api, executionId, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await Cancel(api, executionId);
                throw;
            }
        }

        // 5
        var execution = await api.Get($"/agent/executions/{executionId}", CliJson.Default.ExecutionAnswer, cancellationToken);
        return Answer(execution, demo, context.Time.GetElapsedTime(begun));
    }

    async Task<bool> UsesDemoModel(ApiClient api, CancellationToken cancellationToken)
    {
        var models = await api.Get("/admin/models", CliJson.Default.ModelsAnswer, cancellationToken);
        var wanted = Wanted(models, request.Harness ?? await AssignedHarness(api, cancellationToken));
        if (wanted.Usable)
            return false;

        await new DemoModelProcess(context).EnsureRunning(cancellationToken);
        context.Terminal.Note($"No model key is set, so the demo model answers: a script, not a model. For a real one: centaur secrets set {wanted.Keys[0]}");
        return true;
    }

    /// <summary>What the server says of the harness that will work: the named one, or its default.</summary>
    internal static HarnessModels Wanted(ModelsAnswer models, string? harness)
    {
        var name = harness ?? models.DefaultHarness;
        var known = models.Harnesses.Select(each => each.Harness).ToList();
        return models.Harnesses.FirstOrDefault(each => each.Harness == name)
            ?? throw new CliError(
                ExitCode.Usage, $"There is no harness {name}.", NearestName.Near(name, known) is { } nearest ? $"Did you mean {nearest}?" : null, $"--harness takes {string.Join(" or ", known)}.");
    }

    /// <summary>A thread keeps the harness that it began with.</summary>
    async Task<string?> AssignedHarness(ApiClient api, CancellationToken cancellationToken) =>
        request.ThreadKey is null
            ? null
            : (await api.Get("/agent/threads?limit=500", CliJson.Default.ThreadsAnswer, cancellationToken)).Threads.FirstOrDefault(thread => thread.SlackThreadKey == request.ThreadKey)?.Harness;

    /// <returns>The generation of the thread's assignment, for which the question is stored.</returns>
    async Task<long> Prepare(ApiClient api, RepositoryBundle? repository, CancellationToken cancellationToken)
    {
        var spawned = await Spawn(api, cancellationToken);

        if (repository is not null)
        {
            if (await repository.HasUncommittedChanges(cancellationToken))
                context.Terminal.Note("Uncommitted changes stay here; the agent gets what is committed.");
            context.Terminal.Note($"Handing over {repository.Name} …");
            await repository.Upload(api, ThreadKey, cancellationToken);
        }

        using var none = JsonDocument.Parse("{}");
        await api.Post(
            "/agent/message",
            new MessageBody(ThreadKey, spawned.AssignmentGeneration, $"ask-{id}", "user", [new ContentPart("text", request.Prompt)], none.RootElement),
            CliJson.Default.MessageBody, CliJson.Default.JsonElement, cancellationToken);
        return spawned.AssignmentGeneration;
    }

    async Task<SpawnAnswer> Spawn(ApiClient api, CancellationToken cancellationToken)
    {
        try
        {
            return await api.Post(
                "/agent/spawn", new SpawnBody(ThreadKey, $"ask-{id}", request.Harness), CliJson.Default.SpawnBody, CliJson.Default.SpawnAnswer, cancellationToken);
        }
        catch (CliError refused) when (refused.Code == OtherHarness)
        {
            throw new CliError(refused.ExitCode, refused.Message, remedy: $"centaur threads release {ThreadKey} frees it for another harness; without --harness it goes on with its own.");
        }
    }

    /// <summary>What was sent may be queued already, so an interruption waits for the answer: without the execution's id it could not be cancelled.</summary>
    async Task<string> Execute(ApiClient api, long generation, RepositoryBundle? repository, bool demo, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var patience = new CancellationTokenSource();
        await using var interrupted = cancellationToken.Register(() => patience.CancelAfter(TellLimit));
        try
        {
            var execution = await api.Post(
                "/agent/execute",
                new ExecuteBody(
                    ThreadKey, generation, $"ask-{id}", request.Harness, new DeliveryTarget("dev", "dev"), "dev", new ExecuteMetadata(demo ? true : null, repository?.Metadata)),
                CliJson.Default.ExecuteBody, CliJson.Default.ExecuteAnswer, patience.Token);
            return execution.ExecutionId;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            context.Terminal.Note($"The server did not answer; an execution of the thread {ThreadKey} may go on. To do: centaur threads stop {ThreadKey}");
            throw;
        }
    }

    async Task Follow(ApiClient api, string executionId, CancellationToken cancellationToken)
    {
        var progress = new AskProgress(context.Terminal);
        var stream = new EventStream(api, ThreadKey, executionId, live: true);
        await foreach (var happened in stream.Read(Reconnect, cancellationToken))
        {
            if (happened.Id is not null)
                progress.Show(happened);
            if (IsTerminal(happened))
                return;
        }
    }

    /// <summary>A local server that died is started again: its work was not lost, and somebody waits for it.</summary>
    async Task Reconnect(int failures, CancellationToken cancellationToken)
    {
        if (failures > MostFailures)
        {
            throw new CliError(
                ExitCode.Unavailable, "The server cannot be reached any more.", $"The question is kept: thread {ThreadKey}.",
                $"centaur ask --id {id} --thread {ThreadKey} … takes it up again, as one execution.");
        }

        if (failures == 2)
            context.Terminal.Note("The connection to the server broke; reconnecting …");
        if (isLocal && failures > 1)
            await LocalStack.EnsureUp(context, cancellationToken);
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(1000, 100 * failures)), cancellationToken);
    }

    async Task Cancel(ApiClient api, string executionId)
    {
        context.Terminal.Note("Stopping the agent …");
        using var limit = new CancellationTokenSource(TellLimit);
        try
        {
            using var none = JsonDocument.Parse("{}");
            await api.Post($"/agent/executions/{executionId}/cancel", none.RootElement, CliJson.Default.JsonElement, CliJson.Default.JsonElement, limit.Token);
        }
        catch (Exception unheard) when (unheard is CliError or OperationCanceledException)
        {
            context.Terminal.Note($"The server did not hear it; the execution {executionId} may go on.");
        }
    }

    int Answer(ExecutionAnswer execution, bool demo, TimeSpan took)
    {
        var result = new AskResult
        {
            ThreadKey = execution.ThreadKey,
            ExecutionId = execution.ExecutionId,
            Status = execution.Status,
            TerminalReason = execution.TerminalReason,
            ResultText = execution.ResultText,
            ErrorText = execution.ErrorText,
            Harness = Metadata(execution, "harness"),
            HarnessVersion = Metadata(execution, "harness_version"),
            Model = Metadata(execution, "model"),
            DemoModel = demo,
            DurationMs = (long)took.TotalMilliseconds,
        };
        var completed = execution.Status == "completed";
        if (request.Json)
            context.Terminal.Out.WriteLine(JsonSerializer.Serialize(result, CliJson.Default.AskResult));
        else if (completed)
            context.Terminal.Answer(result.ResultText ?? "");

        if (completed)
        {
            context.Terminal.Note($"({Harness(result)}{took.TotalSeconds:0.0} s, thread {ThreadKey})");
            return ExitCode.Ok;
        }

        context.Terminal.Report(new CliError(
            ExitCode.Failed, $"The turn ended as {execution.Status}{(execution.TerminalReason is null ? "" : $" ({execution.TerminalReason})")}.",
            execution.ErrorText, $"centaur threads show {ThreadKey} prints the thread; centaur logs prints what the server said."));
        return ExitCode.Failed;
    }

    static string Harness(AskResult result) => result.Harness is null ? "" : $"{result.Harness} {result.HarnessVersion}".TrimEnd() + ", ";

    static bool IsTerminal(ThreadEvent happened) =>
        happened.Kind == "execution_state" && happened.Data.TryGetProperty("status", out var status)
        && status.GetString() is "completed" or "failed_permanent" or "cancelled";

    static string? Metadata(ExecutionAnswer execution, string name) =>
        execution.Metadata is { ValueKind: JsonValueKind.Object } metadata && metadata.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
