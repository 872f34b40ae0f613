using Centaur.Cli.Stack;
using Centaur.Protocol.Broker;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Stack;

public sealed class ProgramEnvironmentTests : IAsyncDisposable
{
    readonly TemporaryHome home = new();

    public ValueTask DisposeAsync() => home.DisposeAsync();

    [Fact]
    public void What_the_broker_logs_in_to_its_sources_with_reaches_the_broker_alone()
    {
        var variables = SourceVariables.Tokens.ToDictionary(name => name, _ => "token", StringComparer.Ordinal);
        variables["VAULT_ADDR"] = "https://vault.example.com";
        var context = home.Context with { Variables = variables };

        var broker = ProgramEnvironment.Broker(context);

        foreach (var name in variables.Keys)
            broker.ShouldContainKey(name);
        foreach (var name in SourceVariables.Tokens)
        {
            ProgramEnvironment.Server(context).ShouldNotContainKey(name);
            ProgramEnvironment.DemoModel(context).ShouldNotContainKey(name);
        }
    }
}
