using Centaur.Runner.BuiltIn.ModelApis;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.BuiltIn.ModelApis;

public sealed class ModelClientsTests
{
    [Theory]
    [InlineData("https://api.anthropic.com", "messages", "https://api.anthropic.com/v1/messages")]
    [InlineData("https://api.anthropic.com/v1", "messages", "https://api.anthropic.com/v1/messages")]
    [InlineData("https://gateway.example/anthropic/", "messages", "https://gateway.example/anthropic/v1/messages")]
    [InlineData("https://api.openai.com/v1", "chat_completions", "https://api.openai.com/v1/chat/completions")]
    [InlineData("http://ollama:11434", "chat_completions", "http://ollama:11434/v1/chat/completions")]
    [InlineData("https://host.example/api/openai", "chat_completions", "https://host.example/api/openai/chat/completions")]
    public void A_base_address_is_completed_as_people_write_it(string baseUrl, string api, string endpoint) =>
        ModelClients.Endpoint(new Uri(baseUrl), api).ToString().ShouldBe(endpoint);
}
