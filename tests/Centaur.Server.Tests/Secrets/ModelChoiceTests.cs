using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;
using Centaur.Server.Secrets;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Secrets;

public sealed class ModelChoiceTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_demo_model_is_chosen_while_it_runs_and_only_where_it_was_asked_for()
    {
        await using var server = new ServerFixture(postgres);
        await server.Start(Cancel);
        var choice = server.Services.GetRequiredService<ModelChoice>();
        var us = ProcessMark.Of(Environment.ProcessId)!;

        await Remember(server, us);
        (await choice.Choose("codex", demoAllowed: true, Cancel)).BaseUrl.Host.ShouldBe(ModelChoice.DemoHost);
        (await choice.Choose("codex", demoAllowed: false, Cancel)).Key.ShouldBe("OPENAI_API_KEY");

        await Remember(server, us with { StartTicks = us.StartTicks - 1 });
        (await choice.Choose("codex", demoAllowed: true, Cancel)).Key.ShouldBe("OPENAI_API_KEY");
    }

    [Fact]
    public void A_demo_model_that_was_asked_for_and_does_not_run_is_named_with_what_starts_it()
    {
        ModelChoice.Refusal("codex", "OPENAI_API_KEY", demoAllowed: true).ShouldBe(
            "The demo model was asked for and does not run here; centaur ask starts it. The secret OPENAI_API_KEY is not set, and codex needs it for its model. "
            + "Set it with: centaur secrets set OPENAI_API_KEY");
        ModelChoice.Refusal("codex", "OPENAI_API_KEY", demoAllowed: false).ShouldNotContain("demo");
    }

    static Task Remember(ServerFixture server, ProcessMark process) => File.WriteAllTextAsync(
        server.Layout.DemoModelFile, JsonSerializer.Serialize(new DemoModelState(process, "http://127.0.0.1:9"), ProtocolJson.Default.DemoModelState), Cancel);
}
