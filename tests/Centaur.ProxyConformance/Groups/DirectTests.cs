using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Play;
using Xunit;

namespace Centaur.ProxyConformance.Groups;

public sealed class DirectTests(Stage stage) : IClassFixture<Stage>
{
    public static TheoryData<string> Cases => CaseLibrary.Ids("direct");

    [Theory]
    [MemberData(nameof(Cases))]
    public Task A_proxy_conforms(string id) => stage.Play("direct", id);
}
