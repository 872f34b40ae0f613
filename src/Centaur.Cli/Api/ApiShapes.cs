using System.Text.Json;

namespace Centaur.Cli.Api;

// The shapes of the contract that the command line uses; members that it does not need are left to the server.

internal sealed record ErrorBody(string? Code, string? Message, JsonElement? Detail);

internal sealed record SpawnBody(string ThreadKey, string SpawnId, string? Harness);

internal sealed record SpawnAnswer(long AssignmentGeneration, string? RuntimeId, string? TraceId);

internal sealed record ContentPart(string Type, string Text);

internal sealed record MessageBody(string ThreadKey, long AssignmentGeneration, string MessageId, string Role, IReadOnlyList<ContentPart> Parts, JsonElement Metadata);

internal sealed record DeliveryTarget(string Channel, string Platform);

internal sealed record ExecuteBody(
    string ThreadKey, long AssignmentGeneration, string ExecuteId, string? Harness, DeliveryTarget Delivery, string Platform, ExecuteMetadata Metadata);

/// <param name="DemoModel">Asks for the demo model whose address is in the home; only where no model key is set.</param>
/// <param name="Repo">The repository whose bundle was uploaded for this thread.</param>
internal sealed record ExecuteMetadata(bool? DemoModel, RepositoryMetadata? Repo);

internal sealed record RepositoryMetadata(string Name, string Head, string? Branch);

internal sealed record ExecuteAnswer(string ExecutionId, string Status, bool Idempotent);

internal sealed record ExecutionAnswer(
    string ExecutionId, string ThreadKey, string Status, string? TerminalReason, string? ResultText, string? ErrorText, JsonElement? Metadata,
    DateTimeOffset? CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt);

internal sealed record StopBody(string ThreadKey);

internal sealed record ReleaseBody(string ReleaseId, bool CancelInflight);

internal sealed record ThreadSummary(
    string SlackThreadKey, string? Harness, string? State, double? CreatedAt, double? LastActivity, int TurnCount, string? FirstMessage, string? LastUserMessage, string? ThreadName);

internal sealed record ThreadsAnswer(IReadOnlyList<ThreadSummary> Threads);

internal sealed record StatusAnswer(string Status);

internal sealed record MessagesAnswer(IReadOnlyList<JsonElement> Messages, string? Cursor, bool HasMore);

internal sealed record BundleAnswer(string Name, long Bytes);

internal sealed record SecretSourceShape(string Type, string? Reference, string? JsonKey);

internal sealed record SecretBindingShape(IReadOnlyList<string> Hosts, IReadOnlyList<string>? Headers);

internal sealed record SecretBody(SecretSourceShape Source, IReadOnlyList<SecretBindingShape>? Bindings);

internal sealed record SecretSummary(string Name, SecretSourceShape? Source, IReadOnlyList<SecretBindingShape>? Bindings, DateTimeOffset? UpdatedAt);

internal sealed record SecretsAnswer(IReadOnlyList<SecretSummary> Secrets);

internal sealed record HarnessModels(string Harness, bool Usable, IReadOnlyList<string> Keys);

internal sealed record ModelsAnswer(string DefaultHarness, IReadOnlyList<HarnessModels> Harnesses);

internal sealed record FieldProblem(IReadOnlyList<JsonElement> Loc, string Msg);

internal sealed record ExecutionEntry(string ExecutionId, string Status, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt);

internal sealed record ExecutionsAnswer(IReadOnlyList<ExecutionEntry> Executions);

internal sealed record KeyBody(string Name, IReadOnlyList<string> Scopes, string CreatedBy);

internal sealed record KeyCreated(string Key, string Id, string Name, string KeyPrefix, IReadOnlyList<string> Scopes);

internal sealed record KeySummary(
    string Id, string Name, string KeyPrefix, IReadOnlyList<string> Scopes, string? CreatedBy, DateTimeOffset? CreatedAt, DateTimeOffset? RevokedAt, bool Active);

internal sealed record KeysAnswer(IReadOnlyList<KeySummary> Keys);

internal sealed record EgressPageAnswer(IReadOnlyList<JsonElement> Records, long Cursor);

internal sealed record EgressFaultShape(string SandboxId, long Line, long? RecordId, string What);

internal sealed record VerifyAnswer(bool Holds, int Sandboxes, long Records, IReadOnlyList<EgressFaultShape> Faults);

internal sealed record EgressWarningShape(string Place, string Meaning, string Remedy);

internal sealed record EgressWarningsAnswer(IReadOnlyList<EgressWarningShape> Warnings);

internal sealed record UsageShape(
    long Calls, long? InputTokens, long? CachedTokens, long? OutputTokens, decimal? CostUsd, long UnpricedCalls, long PartialCalls);

internal sealed record TurnUsageShape(string? TurnId, string? ExecutionId, string? Model, UsageShape Usage);

internal sealed record DayUsageShape(string Day, string? Model, UsageShape Usage);

internal sealed record UsageAnswer(UsageShape Total, IReadOnlyList<TurnUsageShape>? Turns, IReadOnlyList<DayUsageShape>? Days);
