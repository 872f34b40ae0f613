using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Executions.Observations;

namespace Centaur.Server.Tests.Executions.Observations;

/// <summary>What is observed of each canonical event (contract §2.3).</summary>
public sealed class ObservationTranslatorTests
{
    [Theory]
    [InlineData("""{"type":"assistant","message":{"content":[{"type":"text","text":"PO"},{"type":"text","text":"NG"}]}}""", "assistant_text_observed", """{"text_block_count":2,"text_chars":4}""")]
    [InlineData(
        """{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"bash","input":{"command":"ls","cwd":"/"}}]}}""",
        "assistant_tool_use_observed", """{"tool_use_id":"t1","tool_name":"bash","input_keys":["command","cwd"],"input_size_bytes":26}""")]
    [InlineData(
        """{"type":"tool","content":[{"tool_use_id":"t1","content":"größe","is_error":false}]}""", "tool_result_observed", """{"tool_use_id":"t1","is_error":false,"content_size_bytes":7}""")]
    [InlineData(
        """{"type":"tool","content":[{"tool_use_id":"t1","content":"Tool call timed out after 120s","is_error":true}]}""",
        "tool_result_observed", """{"tool_use_id":"t1","is_error":true,"content_size_bytes":30,"error_category":"timeout"}""")]
    [InlineData(
        """{"type":"usage","usage":{"input_tokens":10,"output_tokens":2,"cached_input_tokens":4},"model":"m","authoritative":true}""",
        "usage_observed",
        """{"model":"m","input_tokens":10,"output_tokens":2,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"cost_usd":null,"total_tokens":12,"authoritative":true}""")]
    [InlineData("""{"type":"reasoning","text":"hm"}""", "reasoning_observed", """{"text_chars":2}""")]
    [InlineData(
        """{"type":"item.completed","item":{"type":"commandExecution","id":"c","command":"ls","aggregatedOutput":"a\n","exitCode":0,"status":"completed"}}""",
        "command_execution_observed", """{"command":"ls","command_size_bytes":2,"output_size_bytes":2,"exit_code":0,"status":"completed"}""")]
    [InlineData(
        """{"type":"command_execution","command":"ls","aggregated_output":"","exit_code":null,"status":"in_progress"}""",
        "command_execution_observed", """{"command":"ls","command_size_bytes":2,"output_size_bytes":0,"exit_code":null,"status":"in_progress"}""")]
    [InlineData("""{"type":"item.completed","item":{"type":"fileChange","changes":[{},{}]}}""", "file_change_observed", """{"change_count":2}""")]
    [InlineData("""{"type":"item.completed","item":{"type":"agentMessage","id":"a","text":"PONG"}}""", "assistant_text_observed", """{"text_block_count":1,"text_chars":4}""")]
    [InlineData("""{"type":"item.completed","item":{"type":"reasoning","summary":["one","two"],"content":[]}}""", "reasoning_observed", """{"text_chars":6}""")]
    [InlineData(
        """{"type":"item.started","item":{"type":"mcpToolCall","id":"m","tool":"search","arguments":{"q":"x"}}}""",
        "assistant_tool_use_observed", """{"tool_use_id":"m","tool_name":"search","input_keys":["q"],"input_size_bytes":9}""")]
    [InlineData(
        """{"type":"item.completed","item":{"type":"mcpToolCall","id":"m","tool":"search","status":"failed","error":{"message":"404 page not found"}}}""",
        "tool_result_observed", """{"tool_use_id":"m","is_error":true,"content_size_bytes":32,"error_category":"not_found"}""")]
    [InlineData(
        """{"type":"subagent","status":"completed","subagent_id":"s","name":"n","summary":"done","activities":[{},{}]}""",
        "subagent_status_observed", """{"subagent_id":"s","status":"completed","name":"n","activity_count":2,"summary_chars":4,"error_chars":0}""")]
    [InlineData("""{"type":"result","result":"PONG"}""", "result_observed", """{"text_chars":4}""")]
    [InlineData("""{"type":"error","error":"boom"}""", "error_observed", """{"error_chars":4}""")]
    [InlineData("""{"type":"system","subtype":"init","session_id":"s"}""", "system_event_observed", """{"subtype":"init","session_id":"s"}""")]
    public void A_whole_item_is_observed_in_the_contracts_words(string canonical, string kind, string members)
    {
        var observed = Of(canonical).ShouldHaveSingleItem();

        observed.Kind.ShouldBe(kind);
        JsonNode.DeepEquals(observed.Members, JsonNode.Parse(members)).ShouldBeTrue(observed.Members.ToJsonString());
    }

    [Theory]
    [InlineData("""{"type":"content_block_delta","delta":{"type":"text_delta","text":"PO"}}""")]
    [InlineData("""{"type":"item.agentMessage.delta","itemId":"a","delta":"PO"}""")]
    [InlineData("""{"type":"item.started","item":{"type":"commandExecution","id":"c","command":"ls"}}""")]
    [InlineData("""{"type":"turn.plan.updated"}""")]
    [InlineData("""{"type":"status","message":"Installing"}""")]
    [InlineData("""{"type":"assistant"}""")]
    [InlineData("[]")]
    public void What_is_no_whole_item_is_not_observed(string canonical) => Of(canonical).ShouldBeEmpty();

    [Fact]
    public void Of_a_command_so_much_is_told_as_names_it()
    {
        var observed = Of($$"""{"type":"command_execution","command":"{{new string('x', 500)}}"}""").Single();

        ((string)observed.Members["command"]!).Length.ShouldBe(200);
        ((int)observed.Members["command_size_bytes"]!).ShouldBe(500);
    }

    [Theory]
    [InlineData("429 Too Many Requests", "rate_limit")]
    [InlineData("HTTP 403", "auth_error")]
    [InlineData("Unexpected argument(s): a", "invalid_input")]
    [InlineData("status 409", "4xx")]
    [InlineData("status 502", "5xx")]
    [InlineData("it broke", "unknown")]
    public void A_tools_failure_is_sorted_by_its_words(string text, string category) => ErrorCategory.Of(text).ShouldBe(category);

    static List<Observation> Of(string canonical)
    {
        using var json = JsonDocument.Parse(canonical);
        return ObservationTranslator.Of(json.RootElement).ToList();
    }
}
