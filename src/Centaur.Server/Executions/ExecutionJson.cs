using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Executions;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TurnState))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ExecutionJson : JsonSerializerContext;
