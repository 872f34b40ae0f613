using System.Text.Json.Nodes;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Tests.Platform.Http;

public sealed class CanonicalJsonTests
{
    /// <summary>Each right side is what Python's json.dumps(json.loads(left), ensure_ascii=False, sort_keys=True, separators=(",", ":")) printed.</summary>
    [Theory]
    [InlineData("""{"b":1,"a":[true,null,"x"]}""", """{"a":[true,null,"x"],"b":1}""")]
    [InlineData("""{"z":{"y":1,"x":{}},"e":[]}""", """{"e":[],"z":{"x":{},"y":1}}""")]
    [InlineData("""["\u00fc","\u2028","\/","\u007f","\u0001"]""", "[\"ü\",\"\u2028\",\"/\",\"\u007f\",\"\\u0001\"]")]
    [InlineData("""["\t\n\r\b\f\"\\"]""", """["\t\n\r\b\f\"\\"]""")]
    [InlineData("[1.0,1.50,1e5,1e16,1.5e300,1e-4,1e-5,0.1,-0.0,-2.5,123456789.125]", "[1.0,1.5,100000.0,1e+16,1.5e+300,0.0001,1e-05,0.1,-0.0,-2.5,123456789.125]")]
    [InlineData("[12345678901234567890123,-0,1e400]", "[12345678901234567890123,0,Infinity]")]
    [InlineData("""{"\ue000":1,"\ud83e\udd84":2}""", "{\"\ue000\":1,\"🦄\":2}")]
    public void It_is_what_Python_writes(string json, string expected) => CanonicalJson.Text(JsonNode.Parse(json)).ShouldBe(expected);
}
