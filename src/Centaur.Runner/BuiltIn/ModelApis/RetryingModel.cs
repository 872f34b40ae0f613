using Centaur.Runner.BuiltIn.Conversations;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Asks again where that may help, and says so: a wait that nobody explains looks like a hang.</summary>
internal sealed class RetryingModel(IModelClient client, AgentOutput output, TimeProvider clock)
{
    const int Attempts = 6;
    static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(60);

    public async Task<ModelAnswer> Ask(ModelQuestion question, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await client.Ask(question, said => output.Emit(AgentEvents.TextDelta(said), cancellationToken), cancellationToken);
            }
            catch (ModelException failure) when (failure.Fault == ModelFault.Passing && attempt < Attempts)
            {
                var delay = Delay(failure, attempt);
                await output.Emit(AgentEvents.Status($"{failure.Message} Attempt {attempt + 1} of {Attempts} follows in {delay.TotalSeconds:0.#} s."), cancellationToken);
                await Task.Delay(delay, clock, cancellationToken);
            }
            catch (ModelException failure) when (failure.Fault == ModelFault.TooLong && attempt < Attempts && ConversationTrim.MakeRoom(question.Conversation))
            {
                await output.Emit(AgentEvents.Status("The conversation was too long for the model; its oldest part was left out."), cancellationToken);
            }
        }
    }

    static TimeSpan Delay(ModelException failure, int attempt)
    {
        var asked = failure.RetryAfter ?? FirstDelay * Math.Pow(2, attempt - 1);
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > LongestDelay ? LongestDelay : asked;
    }
}
