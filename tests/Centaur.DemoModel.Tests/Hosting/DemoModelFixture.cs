using System.Text;
using System.Text.Json;
using Centaur.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(Centaur.DemoModel.Tests.Hosting.DemoModelFixture))]

namespace Centaur.DemoModel.Tests.Hosting;

/// <summary>One demo model without a key for all tests that only ask.</summary>
public sealed class DemoModelFixture : IAsyncLifetime
{
    readonly SocketsHttpHandler handler = new();
    DemoModelProcess model = null!;

    public HttpClient Http { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        model = await DemoModelProcess.Start(TestContext.Current.CancellationToken);
        Http = new HttpClient(handler) { BaseAddress = model.Address };
        Http.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        handler.Dispose();
        await model.DisposeAsync();
    }

    public async Task<(int Status, JsonElement Body)> Post(string path, string body, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), Json(body), cancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(cancellationToken)));
    }

    /// <summary>The data of each event, parsed, but for the last word of the chat API.</summary>
    public async Task<IReadOnlyList<JsonElement>> Stream(string path, string body, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), Json(body), cancellationToken);
        response.Content.Headers.ContentType!.MediaType.ShouldBeEventStream();
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return [.. text.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonElement.Parse(line[6..]))];
    }

    public static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}

internal static class ContentTypes
{
    public static void ShouldBeEventStream(this string? type) => Assert.Equal("text/event-stream", type);
}
