using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads;

public static class AssignmentChecks
{
    /// <summary>Refuses a request that was made for an assignment that is not the active one.</summary>
    public static ApiFailure? Refusal(Assignment? active, int generation)
    {
        if (active is null)
            return ApiFailure.Control("NO_ACTIVE_ASSIGNMENT", "The thread has no active assignment. Spawn it first.");
        return active.Generation == generation
            ? null
            : ApiFailure.Control("ASSIGNMENT_GENERATION_STALE", $"The request was made for generation {generation} of the thread's assignment; the active one is {active.Generation}.");
    }
}
