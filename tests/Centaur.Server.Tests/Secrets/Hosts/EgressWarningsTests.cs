using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Server.Secrets;
using Centaur.Server.Secrets.Hosts;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Secrets.Hosts;

public sealed class EgressWarningsTests
{
    [Theory]
    [InlineData("*", "every host")]
    [InlineData("*.com", "every name below com, which anybody can register")]
    [InlineData("*.co.uk", "every name below co.uk, which anybody can register")]
    [InlineData("*.github.io", "every name below github.io, where anybody can have one")]
    [InlineData("*.googleapis.com", "every name below storage.googleapis.com")]
    [InlineData("*.windows.net", "every name below blob.core.windows.net")]
    [InlineData("github.com", "Anybody can publish at github.com")]
    [InlineData("*.telegram.org", "Anybody can publish at api.telegram.org")]
    public void An_allowed_host_that_anybody_can_have_or_publish_at_is_wide(string host, string meaning)
    {
        var warning = Of(new EgressRule($"allow:{host}", [host])).ShouldHaveSingleItem();

        warning.Place.ShouldBe($"egress.allow, allow:{host}");
        warning.Meaning.ShouldContain(meaning);
        warning.Remedy.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("api.example.com")]
    [InlineData("*.example.com")]
    [InlineData("*.example.co.uk")]
    [InlineData("*.acme.github.io")]
    [InlineData("bucket.s3.amazonaws.com")]
    [InlineData("mirror.example.com")]
    [InlineData("notgithub.com")]
    public void A_host_of_somebody_is_not(string host) => Of(new EgressRule("x", [host])).ShouldBeEmpty();

    [Fact]
    public void Where_an_agent_may_only_read_or_only_some_paths_nothing_is_published()
    {
        Of(new EgressRule("list:gitlab", BuiltInLists.All["gitlab"])).Count.ShouldBe(1);
        Of(new EgressRule("reading", ["gitlab.com"]) { Methods = ["GET", "HEAD"] }).ShouldBeEmpty();
        Of(new EgressRule("ours", ["github.com"]) { Paths = ["/acme/*"] }).ShouldBeEmpty();
        Of(new EgressRule("all paths", ["github.com"]) { Paths = ["/acme/*", "/*"] }).Count.ShouldBe(1);
        Of(new EgressRule("writing", ["github.com"]) { Methods = ["GET", "POST"] }).Count.ShouldBe(1);
        // Who answers is as bad as who is told, where anybody may be the one.
        Of(new EgressRule("anybody", ["*.workers.dev"]) { Methods = ["GET"] }).Count.ShouldBe(1);
    }

    [Fact]
    public void What_is_passed_through_cannot_be_limited()
    {
        var warnings = EgressWarnings.Of(new EgressOptions { Passthrough = ["github.com", "*.pages.dev", "vpn.example.com"] }, []);

        warnings.Select(warning => warning.Place).ShouldBe(["egress.passthrough", "egress.passthrough"]);
        warnings.ShouldAllBe(warning => warning.Meaning.Contains("nobody looks into"));
    }

    [Fact]
    public void An_entry_is_wide_where_a_granted_secret_opens_what_its_tool_needs()
    {
        var rule = new EgressRule("list:acme", ["api.acme.example", "cdn.acme.example", "login.acme.example"]);

        EgressWarnings.Of(new EgressOptions { Allow = [rule] }, [Bound("api.acme.example")]).Single().Meaning
            .ShouldBe("It opens 3 hosts to every thread, and the secret ACME_TOKEN opens api.acme.example already.");
        EgressWarnings.Of(new EgressOptions { Allow = [rule] }, [Bound("*.acme.example")]).ShouldBeEmpty();
        EgressWarnings.Of(new EgressOptions { Allow = [rule] }, [Bound("api.other.example")]).ShouldBeEmpty();
    }

    [Fact]
    public void Open_is_as_wide_as_can_be() =>
        EgressWarnings.Of(new EgressOptions { Open = true }, []).Single().Place.ShouldBe("egress.open");

    static IReadOnlyList<EgressWarning> Of(EgressRule rule) => EgressWarnings.Of(new EgressOptions { Allow = [rule] }, []);

    static SecretModel Bound(string host) => new("ACME_TOKEN", new SecretSource("file"), [new SecretBinding([host]) { Headers = ["Authorization"] }]);
}
