using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Threads.Workspaces;

public sealed class WorkspaceTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bundle_comes_back_to_the_threads_own_sandbox_byte_for_byte()
    {
        var threadKey = Http.NewThread();
        var spawned = await server.Api.Spawn(threadKey);
        // Larger than a request may be elsewhere.
        var bundle = Bundle(40_000_000);
        (await Upload(threadKey, new ByteArrayContent(bundle))).ShouldBe(HttpStatusCode.OK);

        var token = await server.Services.GetRequiredService<SandboxTokens>().Mint(threadKey, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken);
        var downloaded = await server.Sandbox(token).GetByteArrayAsync(Path(threadKey), Cancel);
        SHA256.HashData(downloaded).ShouldBe(SHA256.HashData(bundle));
        using var foreign = await server.Sandbox(token).GetAsync(Path(Http.NewThread()), Cancel);
        foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_bundle_without_a_length_is_taken_too()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        using var stream = new UnseekableStream(Bundle(300_000));
        (await Upload(threadKey, new StreamContent(stream))).ShouldBe(HttpStatusCode.OK);
        (await server.Api.GetByteArrayAsync(Path(threadKey), Cancel)).Length.ShouldBe(300_000);
    }

    [Fact]
    public async Task A_bundle_over_the_cap_is_413_before_it_is_sent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Path(Http.NewThread()));
        request.Content = new ByteArrayContent([]);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        request.Content.Headers.ContentLength = 300L << 20;
        request.Headers.ExpectContinue = true;
        using var response = await server.Api.SendAsync(request, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_thread_without_a_bundle_is_404_and_another_type_is_415()
    {
        var threadKey = Http.NewThread();
        (await server.Api.Get(Path(threadKey))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await server.Api.PostText(Path(threadKey), "{}")).Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("# v2 git bundle\nno end")]
    [InlineData("# v9 git bundle\n\nPACK")]
    [InlineData("# v2 git bundle\n-1111111111111111111111111111111111111111 before\n2222222222222222222222222222222222222222 HEAD\n\nPACK")]
    public async Task What_is_no_whole_bundle_is_422_and_is_not_stored(string body)
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        (await Upload(threadKey, new ByteArrayContent(System.Text.Encoding.ASCII.GetBytes(body)))).ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await server.Api.Get(Path(threadKey))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_thread_that_has_worked_takes_no_other_repository_and_its_own_again()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var (own, other) = (Bundle(1000), Bundle(1000, "3333333333333333333333333333333333333333"));
        (await Upload(threadKey, new ByteArrayContent(other))).ShouldBe(HttpStatusCode.OK);
        (await Upload(threadKey, new ByteArrayContent(own))).ShouldBe(HttpStatusCode.OK);
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        await database.Execute($"update sandbox_sessions set agent_thread_id = 'a' where thread_key = {threadKey}", Cancel);

        (await Upload(threadKey, new ByteArrayContent(own))).ShouldBe(HttpStatusCode.OK);
        (await Upload(threadKey, new ByteArrayContent(other))).ShouldBe(HttpStatusCode.Conflict);

        (await server.Api.GetByteArrayAsync(Path(threadKey), Cancel)).ShouldBe(own);
    }

    /// <summary>A header as git writes it, and noise for a pack.</summary>
    static byte[] Bundle(int length, string head = "2222222222222222222222222222222222222222")
    {
        var bundle = RandomNumberGenerator.GetBytes(length);
        System.Text.Encoding.ASCII.GetBytes($"# v2 git bundle\n{head} HEAD\n\nPACK").CopyTo(bundle, 0);
        return bundle;
    }

    async Task<HttpStatusCode> Upload(string threadKey, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await server.Api.PostAsync($"{Path(threadKey)}?name=repository&head=abc", content, Cancel);
        return response.StatusCode;
    }

    static string Path(string threadKey) => $"/agent/workspaces/{Uri.EscapeDataString(threadKey)}/bundle";

    sealed class UnseekableStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
