using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Hosting;

/// <summary>The program with its options.</summary>
public sealed class DemoModelProgramTests : IDisposable
{
    const string Key = "sk-the-only-good-key";

    readonly TemporaryFolder folder = new();
    readonly SocketsHttpHandler handler = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/responses", "Authorization", "Bearer ")]
    [InlineData("/v1/chat/completions", "Authorization", "Bearer ")]
    [InlineData("/v1/messages", "x-api-key", "")]
    [InlineData("/v1/models", "Authorization", "Bearer ")]
    public async Task Only_the_required_key_is_admitted_and_none_is_recorded(string path, string header, string scheme)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = model.Address };

        (await Ask(http, path, null, null)).Status.ShouldBe(401);
        (await Ask(http, path, header, scheme + "CENTAUR_PLACEHOLDER_0123")).Status.ShouldBe(401);
        (await Ask(http, path, header, scheme + Key + "x")).Status.ShouldBe(401);
        (await Ask(http, path, header, scheme + Key)).Status.ShouldBe(200);

        var requests = await model.Requests(Cancellation);
        requests.Select(request => request.GetProperty("credential").GetString()).ShouldBe(["missing", "wrong", "wrong", "ok"]);
        (await File.ReadAllTextAsync(model.RecordFile, Cancellation)).ShouldNotContain(Key);
    }

    [Fact]
    public async Task An_unauthorized_answer_has_the_vendors_shape()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = model.Address };

        (await Ask(http, "/v1/responses", "Authorization", "Bearer wrong")).Body.GetProperty("error").GetProperty("code").GetString().ShouldBe("invalid_api_key");
        (await Ask(http, "/v1/messages", "x-api-key", "wrong")).Body.GetProperty("error").GetProperty("type").GetString().ShouldBe("authentication_error");
    }

    [Fact]
    public async Task It_speaks_tls_with_a_certificate_that_its_own_authority_signed()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, null, "--make-ca", folder["ca"], "--host", "api.openai.com");
        model.Address.Scheme.ShouldBe("https");
        using var authority = X509CertificateLoader.LoadCertificateFromFile(folder["ca/ca.pem"]);
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
        };
        handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(model.Address.Host, model.Address.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        };
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = new Uri("https://api.openai.com") };

        (await http.GetStringAsync(new Uri("/v1/models", UriKind.Relative), Cancellation)).ShouldContain("centaur-demo");
        File.GetUnixFileMode(folder["ca/key.pem"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_good_certificate_is_kept_and_one_for_another_host_is_made_again()
    {
        string[] make = ["--make-ca", folder["ca"], "--host"];
        (await Run([.. make, "api.openai.com"])).ShouldBe(0);
        var first = await File.ReadAllTextAsync(folder["ca/cert.pem"], Cancellation);
        (await Run([.. make, "api.openai.com"])).ShouldBe(0);
        (await File.ReadAllTextAsync(folder["ca/cert.pem"], Cancellation)).ShouldBe(first);
        (await Run([.. make, "api.anthropic.com"])).ShouldBe(0);
        (await File.ReadAllTextAsync(folder["ca/cert.pem"], Cancellation)).ShouldNotBe(first);
    }

    [Fact]
    public async Task It_ends_when_its_parent_has_ended()
    {
        using var parent = Process.Start(new ProcessStartInfo("sleep", ["600"]))!;
        using var model = Process.Start(new ProcessStartInfo(DemoModelProcess.Program,
            ["--listen", "127.0.0.1:0", "--parent-pid", parent.Id.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        (await model.StandardOutput.ReadLineAsync(Cancellation))!.ShouldStartWith("{\"listening\":\"http://127.0.0.1:");

        parent.Kill();

        await model.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        model.ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData("--listen")]
    [InlineData("--listen", "nonsense")]
    [InlineData("--surprise", "x")]
    [InlineData("--listen", "127.0.0.1:0", "--tls-cert", "x")]
    [InlineData("--make-ca", "x")]
    public async Task Wrong_options_are_refused(params string[] arguments) => (await Run(arguments)).ShouldBe(2);

    [Fact]
    public async Task Counting_takes_its_time()
    {
        await using var model = await DemoModelProcess.Start(Cancellation);
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = model.Address };
        var before = Stopwatch.GetTimestamp();
        await Ask(http, "/v1/responses", null, null, "Count to 4, one every 0.2 seconds");
        Stopwatch.GetElapsedTime(before).ShouldBeGreaterThan(TimeSpan.FromSeconds(0.55));
    }

    [Fact]
    public async Task An_unknown_path_is_not_found()
    {
        await using var model = await DemoModelProcess.Start(Cancellation);
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = model.Address };
        using var response = await http.GetAsync(new Uri("/v1/nothing", UriKind.Relative), Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    public void Dispose()
    {
        handler.Dispose();
        folder.Dispose();
    }

    static async Task<(int Status, JsonElement Body)> Ask(HttpClient http, string path, string? header, string? value, string text = "Reply with exactly PONG.")
    {
        var body = path switch
        {
            "/v1/responses" => $$"""{"model":"m","input":"{{text}}"}""",
            "/v1/messages" => $$"""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"{{text}}"}]}""",
            _ => $$"""{"model":"m","messages":[{"role":"user","content":"{{text}}"}]}""",
        };
        using var request = new HttpRequestMessage(path == "/v1/models" ? HttpMethod.Get : HttpMethod.Post, new Uri(path, UriKind.Relative));
        if (path != "/v1/models")
            request.Content = DemoModelFixture.Json(body);
        if (path == "/v1/messages")
            request.Headers.Add("anthropic-version", "2023-06-01");
        if (header is not null)
            request.Headers.TryAddWithoutValidation(header, value);
        using var response = await http.SendAsync(request, Cancellation);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation)));
    }

    static async Task<int> Run(params IReadOnlyList<string> arguments)
    {
        using var program = Process.Start(new ProcessStartInfo(DemoModelProcess.Program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        await program.StandardError.ReadToEndAsync(Cancellation);
        await program.WaitForExitAsync(Cancellation);
        return program.ExitCode;
    }
}
