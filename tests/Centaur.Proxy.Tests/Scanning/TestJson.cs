using System.Text.Json.Serialization;

namespace Centaur.Proxy.Tests.Scanning;

[JsonSerializable(typeof(string))]
sealed partial class TestJson : JsonSerializerContext;
