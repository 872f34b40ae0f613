using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Cli.Ask;
using Centaur.Cli.Commands;
using Centaur.Cli.Doctor;

namespace Centaur.Cli.Api;

/// <summary>The JSON that the command line sends, reads and prints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(SpawnBody))]
[JsonSerializable(typeof(SpawnAnswer))]
[JsonSerializable(typeof(MessageBody))]
[JsonSerializable(typeof(ExecuteBody))]
[JsonSerializable(typeof(ExecuteAnswer))]
[JsonSerializable(typeof(ExecutionAnswer))]
[JsonSerializable(typeof(ThreadsAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(MessagesAnswer))]
[JsonSerializable(typeof(StopBody))]
[JsonSerializable(typeof(ReleaseBody))]
[JsonSerializable(typeof(BundleAnswer))]
[JsonSerializable(typeof(ModelsAnswer))]
[JsonSerializable(typeof(IReadOnlyList<FieldProblem>))]
[JsonSerializable(typeof(ExecutionsAnswer))]
[JsonSerializable(typeof(SecretBody))]
[JsonSerializable(typeof(SecretsAnswer))]
[JsonSerializable(typeof(KeyBody))]
[JsonSerializable(typeof(KeyCreated))]
[JsonSerializable(typeof(KeysAnswer))]
[JsonSerializable(typeof(EgressPageAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(EgressWarningsAnswer))]
[JsonSerializable(typeof(UsageAnswer))]
[JsonSerializable(typeof(AskResult))]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class CliJson : JsonSerializerContext;
