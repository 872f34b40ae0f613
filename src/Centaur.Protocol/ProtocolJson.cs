using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Host;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;

namespace Centaur.Protocol;

/// <summary>The one JSON form of everything that crosses a process border: snake_case, nulls left out, unknown members ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(Frame))]
[JsonSerializable(typeof(WorkerMessage))]
[JsonSerializable(typeof(KeeperMessage))]
[JsonSerializable(typeof(ProxyCommand))]
[JsonSerializable(typeof(ProxyNotice))]
[JsonSerializable(typeof(BrokerRequest))]
[JsonSerializable(typeof(BrokerReply))]
[JsonSerializable(typeof(SandboxSpec))]
[JsonSerializable(typeof(ProcessMark))]
[JsonSerializable(typeof(ServerState))]
[JsonSerializable(typeof(DemoModelState))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class ProtocolJson : JsonSerializerContext;
