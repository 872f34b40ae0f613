using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Server.Secrets;

namespace Centaur.Server.Tests.Secrets;

public sealed class PolicyBuilderTests
{
    static readonly PolicySubject Subject = new("sbx-1", 3, "thread", "turn-1", "U1");
    static readonly ModelEndpoint Model = new("responses", new Uri("https://api.openai.com/v1"), null, "OPENAI_API_KEY");

    [Fact]
    public void Without_lists_and_secrets_only_the_model_is_allowed()
    {
        var policy = PolicyBuilder.Build(Subject, [], new Dictionary<string, string>(), Model, new EgressOptions());
        policy.Allow.Single().Hosts.ShouldBe(["api.openai.com"]);
        policy.Allow.Single().Ports.ShouldBe([443]);
        policy.Open.ShouldBeFalse();
        (policy.SandboxId, policy.Version, policy.ThreadKey, policy.Turn, policy.Principal).ShouldBe(("sbx-1", 3, "thread", "turn-1", "U1"));
    }

    [Fact]
    public void A_granted_secret_opens_its_hosts_as_far_as_its_bindings_say()
    {
        var secret = new SecretModel("TOKEN", new SecretSource("file"), [new SecretBinding(["a.example"]) { Headers = ["Authorization"], Methods = ["GET"], Paths = ["/v1/*"] }]);
        var policy = PolicyBuilder.Build(Subject, [secret], new Dictionary<string, string> { ["TOKEN"] = "cph_token_0" }, Model, new EgressOptions());
        var rule = policy.Allow.Single(r => r.Name == "secret:TOKEN");
        rule.Methods.ShouldBe(["GET"]);
        rule.Paths.ShouldBe(["/v1/*"]);
        policy.Secrets.Single().Placeholder.ShouldBe("cph_token_0");
    }

    [Fact]
    public void The_models_own_key_is_bound_to_the_models_host_and_no_other_secret_is()
    {
        var model = Model with { BaseUrl = new Uri("https://models.internal:8443/v1") };
        var key = new SecretModel("OPENAI_API_KEY", new SecretSource("file"), [new SecretBinding(["api.openai.com"]) { Headers = ["Authorization"] }]);
        var other = new SecretModel("GITHUB_TOKEN", new SecretSource("file"), [new SecretBinding(["github.com"]) { Headers = ["Authorization"] }]);
        var policy = PolicyBuilder.Build(
            Subject, [key, other], new Dictionary<string, string> { ["OPENAI_API_KEY"] = "cph_a", ["GITHUB_TOKEN"] = "cph_b" }, model, new EgressOptions());
        policy.Secrets.Single(s => s.Name == "OPENAI_API_KEY").Bindings.SelectMany(b => b.Hosts).ShouldContain("models.internal");
        policy.Secrets.Single(s => s.Name == "GITHUB_TOKEN").Bindings.SelectMany(b => b.Hosts).ShouldBe(["github.com"]);
        policy.Allow.Single(r => r.Name == "model").Ports.ShouldBe([8443]);
    }

    [Fact]
    public void A_local_model_is_mapped()
    {
        var local = new UpstreamMap("demo.internal", 443, "127.0.0.1", 4000) { Plaintext = true };
        var model = Model with { BaseUrl = new Uri("https://demo.internal/v1"), Key = null, Local = local };
        PolicyBuilder.Build(Subject, [], new Dictionary<string, string>(), model, new EgressOptions()).Map.ShouldBe([local]);
    }

    [Fact]
    public void A_secret_is_not_bound_where_nobody_looks()
    {
        var secret = new SecretModel("TOKEN", new SecretSource("file"), [new SecretBinding(["a.example", "b.example"]) { Headers = ["Authorization"] }, new SecretBinding(["c.a.example"]) { Headers = ["X"] }]);
        var egress = new EgressOptions { Passthrough = ["*.a.example"] };

        var policy = PolicyBuilder.Build(Subject, [secret], new Dictionary<string, string> { ["TOKEN"] = "cph_token_0" }, Model, egress);

        policy.Secrets.Single().Bindings.ShouldHaveSingleItem().Hosts.ShouldBe(["b.example"]);
    }

    [Fact]
    public void A_mapped_host_whose_secret_was_removed_is_reached_without_it()
    {
        var secret = new SecretModel("TOKEN", new SecretSource("file"), [new SecretBinding(["a.example"]) { Headers = ["Authorization"] }]);
        var egress = new EgressOptions { Map = [new UpstreamMap("a.example", 443, "10.0.0.7", 443) { Secrets = ["TOKEN", "REMOVED"] }] };

        var policy = PolicyBuilder.Build(Subject, [secret], new Dictionary<string, string> { ["TOKEN"] = "cph_token_0" }, Model, egress);

        policy.Map.Single().Secrets.ShouldBe(["TOKEN"]);
        policy.Allow.ShouldContain(rule => rule.Name == "map:a.example:443");
    }
}
