using System.Text.Json;
using Centaur.Server.Executions;

namespace Centaur.Server.Tests.Egress;

/// <summary>Who is said to have asked: a client may name any user, and never another's key.</summary>
public sealed class PrincipalTests
{
    [Theory]
    [InlineData("""{"user_id":"ann","requested_by":"ci"}""", "ann by ci")]
    [InlineData("""{"requested_by":"ci"}""", "ci")]
    [InlineData("""{"user_id":"U07ABC","requested_by":"slack:T1:U07ABC"}""", "slack:T1:U07ABC")]
    [InlineData("""{"user_id":7,"requested_by":"ci"}""", "ci")]
    [InlineData("""{"user_id":"","requested_by":"ci"}""", "ci")]
    [InlineData("""{}""", null)]
    public void It_is_the_user_and_the_key(string metadata, string? principal) => TurnDelivery.Principal(JsonDocument.Parse(metadata).RootElement).ShouldBe(principal);

    [Fact]
    public void A_long_user_does_not_push_the_key_out() =>
        TurnDelivery.Principal(JsonDocument.Parse($$"""{"user_id":"{{new string('u', 5000)}}","requested_by":"ci"}""").RootElement)!.ShouldEndWith("u by ci");
}
