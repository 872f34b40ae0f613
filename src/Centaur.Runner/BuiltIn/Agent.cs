using System.Text.Json.Nodes;
using Centaur.Runner.BuiltIn.Conversations;
using Centaur.Runner.BuiltIn.ModelApis;
using Centaur.Runner.BuiltIn.Tools;

namespace Centaur.Runner.BuiltIn;

/// <summary>
/// The loop: messages → model → tools → messages, until the model answers without a tool call.
/// <code>
/// (1) the user's words, and what was added meanwhile, join the conversation
/// (2) the model answers: its text streams out as it comes
/// (3) no tool call: the turn ends with this text, unless words were added meanwhile
/// (4) each tool call is run and its result joins the conversation; then (1)
/// </code>
/// The conversation is stored after every step, so that a process that dies loses one step at most.
/// </summary>
internal sealed class Agent(
    AgentOptions options, Conversation conversation, SessionStore store, RetryingModel model, ToolBox tools, AgentOutput output, TimeProvider clock)
{
    public async Task RunTurn(TurnInput turn, CancellationToken stoppingToken)
    {
        var began = clock.GetTimestamp();
        var usage = new TurnUsage();
        await output.Emit(AgentEvents.Init(conversation.Id, options, tools.Names), stoppingToken);
        var outcome = await Outcome(turn, usage, stoppingToken);
        turn.Close();
        await store.Save(conversation, CancellationToken.None);
        await output.Emit(AgentEvents.Usage(options.Model, usage.ToJson()), stoppingToken);
        outcome = outcome with { Steps = usage.Requests, Duration = clock.GetElapsedTime(began) };
        await output.Emit(AgentEvents.Result(conversation.Id, outcome, usage.ToJson()), stoppingToken);
    }

    async Task<TurnOutcome> Outcome(TurnInput turn, TurnUsage usage, CancellationToken stoppingToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, turn.Interrupted);
        try
        {
            conversation.BeginTurn(turn.Message);
            return await Steps(turn, usage, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            conversation.CloseOpenCalls("The user interrupted this.");
            return TurnOutcome.Interrupted;
        }
        catch (ModelException failure)
        {
            return TurnOutcome.Failed(failure.Message);
        }
    }

    async Task<TurnOutcome> Steps(TurnInput turn, TurnUsage usage, CancellationToken cancellationToken)
    {
        var system = await SystemPrompt.Read(options.Workspace, cancellationToken);
        for (var step = 0; step < options.MaxSteps; step++)
        {
            // (1)
            foreach (var words in turn.TakeSteering())
                conversation.AddUser(words);
            await store.Save(conversation, cancellationToken);

            // (2)
            var answer = await model.Ask(new ModelQuestion(system, conversation, tools.Declarations), cancellationToken);
            usage.Add(answer.Usage);
            if (answer.Content.Count > 0)
            {
                conversation.AddAssistant(answer.Content);
                await output.Emit(AgentEvents.Assistant(conversation.Id, options.Model, answer.Content), cancellationToken);
            }

            // (3)
            var calls = answer.ToolCalls;
            if (calls.Count == 0 && turn.TryClose())
                return answer.Text.Length > 0 ? TurnOutcome.Success(answer.Text) : TurnOutcome.Failed("The model ended its turn without a word.");

            // (4)
            foreach (var call in calls)
                await Run(call, cancellationToken);
        }

        return TurnOutcome.TooManySteps(options.MaxSteps);
    }

    async Task Run(ToolUse call, CancellationToken cancellationToken)
    {
        var result = await tools.Run(call, cancellationToken);
        conversation.AddToolResult(call.Id, result.Text, result.IsError);
        await output.Emit(AgentEvents.Tool(call.Id, result.Text, result.IsError), cancellationToken);
    }
}
