using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Shouldly;
using Xunit;

namespace Centaur.Server.Tests.Executions;

public sealed class TurnEnvelopeTests
{
    [Fact]
    public void All_waiting_messages_become_one_user_message_in_order()
    {
        var envelope = Parse(TurnEnvelope.Of([Message("a", "first"), Message("b", "second")]));

        envelope["role"]!.GetValue<string>().ShouldBe("user");
        Texts(envelope).ShouldBe(["first", "second"]);
    }

    [Fact]
    public void The_first_text_of_a_message_names_who_said_it() =>
        Texts(Parse(TurnEnvelope.Of([Message("a", "hello", user: "U1")]))).ShouldBe(["<@U1>: hello"]);

    [Fact]
    public void An_attachment_becomes_the_command_that_downloads_it()
    {
        var message = new UndeliveredMessage(
            "a", """{"type":"user","message":{"role":"user","content":[{"type":"attachment_ref","attachment_id":"att-1","media_type":"image/png"}]}}""", "{}", DateTimeOffset.UnixEpoch);

        Texts(Parse(TurnEnvelope.Of([message]))).ShouldHaveSingleItem().ShouldContain("/agent/attachments/att-1/download");
    }

    [Fact]
    public void A_replayed_turn_tells_the_harness_that_its_last_attempt_died()
    {
        var replay = Texts(Parse(TurnEnvelope.AfterDeath(TurnEnvelope.Of([Message("a", "go on")]))));

        replay[0].ShouldContain("last attempt");
        replay[1].ShouldBe("go on");
    }

    static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    static List<string> Texts(JsonObject envelope) => envelope["content"]!.AsArray().Select(b => b!["text"]!.GetValue<string>()).ToList();

    static UndeliveredMessage Message(string id, string text, string? user = null) => new(
        id,
        new JsonObject { ["type"] = "user", ["message"] = new JsonObject { ["role"] = "user", ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }) } }.ToJsonString(),
        user is null ? "{}" : new JsonObject { ["user_id"] = user }.ToJsonString(),
        DateTimeOffset.UnixEpoch);
}
