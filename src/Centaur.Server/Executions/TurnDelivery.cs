using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Access;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Sandboxes;
using Centaur.Server.Secrets;
using Centaur.Server.Threads.Workspaces;

namespace Centaur.Server.Executions;

/// <summary>
/// Offers a prepared turn to its sandbox: grant, policy, identity, turn, in this order. Each step waits for its answer, so a harness never speaks before its
/// proxy enforces the policy that the turn needs; each is safe to repeat, so a new owner simply offers everything again.
/// </summary>
internal sealed class TurnDelivery(
    SandboxGrants grants, BrokerClient broker, ModelChoice models, SandboxTokens tokens, SandboxStore sandboxes, TurnStore turns, ThreadTraces traces, WorkspaceStore workspaces)
{
    static readonly TimeSpan EarlierTurn = TimeSpan.FromMilliseconds(200);
    const int EarlierTurnTries = 25;
    const int LongestName = 120;

    /// <exception cref="TurnRefusedException">The turn cannot run as things are; the message says why.</exception>
    /// <exception cref="FencedException">Another owner holds the sandbox.</exception>
    public async Task Deliver(
        ClaimedExecution execution, OwnedSandbox sandbox, PreparedTurn turn, ReadyHarness harness, CancellationToken cancellationToken)
    {
        try
        {
            var endpoint = await models.Choose(harness.Name, DemoAllowed(execution), cancellationToken);
            // An owner that died may have sent a policy and not recorded it; the proxy refuses to go back.
            var version = Math.Max(sandbox.Row.PolicyVersion, sandbox.Keeper.Attached.PolicyVersion) + 1;
            var subject = new PolicySubject(sandbox.Row.SandboxId, version, execution.ThreadKey, turn.TurnId, Principal(execution.Metadata));
            var grant = await grants.Prepare(subject, endpoint, cancellationToken);
            if (endpoint.Key is { } key && grant.Missing.Contains(key))
                throw new TurnRefusedException(ModelChoice.Refusal(harness.Name, key, DemoAllowed(execution)));

            await broker.Grant(grant.Grant, cancellationToken);
            await sandbox.Keeper.Ask<PolicyAcknowledged>(new PolicyUpdate(grant.Policy, grant.Grant.Ticket), cancellationToken);
            await sandbox.Keeper.Ask<Claimed>(await Claim(execution, sandbox, harness, endpoint, grant, cancellationToken), cancellationToken);
            if (!await sandboxes.Identified(sandbox.Row, harness.Name, grant.Policy.Version, cancellationToken))
                throw new FencedException(execution.ExecutionId);
            await GiveTurn(sandbox, turn, cancellationToken);
        }
        catch (BrokerException e)
        {
            throw e.RetryHelps ? new IOException(e.Message, e) : new TurnRefusedException(e.Message, e);
        }
        catch (KeeperRefusedException e)
        {
            throw e.Code switch
            {
                RefusalCodes.GenerationStale or RefusalCodes.NotAttached => new FencedException(execution.ExecutionId),
                RefusalCodes.JailGone => new IOException(e.Message, e),
                _ => new TurnRefusedException(e.Message, e),
            };
        }
    }

    async Task<ClaimRequest> Claim(
        ClaimedExecution execution, OwnedSandbox sandbox, ReadyHarness harness, ModelEndpoint endpoint, SandboxGrant grant, CancellationToken cancellationToken)
    {
        var token = await tokens.Mint(execution.ThreadKey, sandbox.Row.SandboxId, execution.AssignmentGeneration, cancellationToken);
        var trace = await traces.Of(execution.ThreadKey, null, cancellationToken);
        return new ClaimRequest(
            new SandboxIdentity(execution.ThreadKey, trace.ToString(), token),
            new HarnessLaunch
            {
                Driver = harness.Name,
                Program = harness.Program,
                Version = harness.Version,
                Model = endpoint.Model,
                ModelApi = endpoint.Api,
                BaseUrl = endpoint.BaseUrl.ToString().TrimEnd('/'),
                KeyVariable = endpoint.Key,
                Environment = grant.Environment,
                ResumeThreadId = await turns.HarnessThreadId(execution.ThreadKey, harness.Name, cancellationToken),
            })
        {
            Setup = await workspaces.Waiting(execution.ThreadKey, cancellationToken) is { } name ? [WorkspaceClone.Command(execution.ThreadKey, name)] : [],
        };
    }

    /// <summary>An earlier turn that was cancelled may still be on its way out: its end is near, because its processes are killed.</summary>
    static async Task GiveTurn(OwnedSandbox sandbox, PreparedTurn turn, CancellationToken cancellationToken)
    {
        var input = turn.Replayed ? TurnEnvelope.AfterDeath(turn.Input) : turn.Input;
        using var message = JsonDocument.Parse(input);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await sandbox.Keeper.Ask<TurnAccepted>(new UserTurn(turn.TurnId, message.RootElement), cancellationToken);
                return;
            }
            catch (KeeperRefusedException e) when (e.Code == RefusalCodes.TurnRunning && attempt < EarlierTurnTries)
            {
                if (attempt == 1 && sandbox.Keeper.Attached.Turn is { } earlier)
                    await sandbox.Keeper.Tell(new InterruptTurn(earlier), cancellationToken);
                await Task.Delay(EarlierTurn, cancellationToken);
            }
        }
    }

    static bool DemoAllowed(ClaimedExecution execution) =>
        execution.Metadata.ValueKind == JsonValueKind.Object && execution.Metadata.TryGetProperty("demo_model", out var demo) && demo.ValueKind == JsonValueKind.True;

    /// <summary>Who asked: the user that the client named, and the key by which it asked. A client may name any user; the key is its own.</summary>
    internal static string? Principal(JsonElement metadata)
    {
        var (user, key) = (Text(metadata, "user_id"), Text(metadata, "requested_by"));
        return user is null || key is null || key.EndsWith(':' + user, StringComparison.Ordinal) ? key ?? user : $"{user} by {key}";
    }

    /// <summary>A long user must not push the key out of the record.</summary>
    static string? Text(JsonElement metadata, string name) =>
        metadata.ValueKind == JsonValueKind.Object && metadata.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text[..Math.Min(text.Length, LongestName)]
            : null;
}

/// <summary>The turn cannot run as things are. Its message is the thread's answer.</summary>
internal sealed class TurnRefusedException(string message, Exception? inner = null) : Exception(message, inner);
