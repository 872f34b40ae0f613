using Centaur.Server.Executions;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

/// <summary>Ends executions as a worker does, without a sandbox.</summary>
internal static class EndedTurns
{
    /// <summary>Claims whatever is queued until the execution has been claimed, and ends all of it with the same words.</summary>
    public static async Task Finish(this ServerFixture server, string executionId, string result, string status = ExecutionStatus.Completed, string? error = null)
    {
        var claims = server.Services.GetRequiredService<ExecutionClaims>();
        var turns = server.Services.GetRequiredService<TurnStore>();
        var cancellationToken = TestContext.Current.CancellationToken;
        while (true)
        {
            // Null too until the server has taken its lease.
            if (await claims.Claim(workflows: true, cancellationToken) is not { } claimed)
            {
                await Task.Delay(20, cancellationToken);
                continue;
            }

            var reason = status == ExecutionStatus.Completed ? TerminalReasons.Completed : "harness_error";
            await turns.Finish(claimed, new TurnState(), new TerminalState(status, reason, result, error, new Jsonb("{}")), cancellationToken);
            if (claimed.ExecutionId == executionId)
                return;
        }
    }
}
