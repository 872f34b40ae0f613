using System.Globalization;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Play;
using Centaur.ProxyConformance.Scenery;
using Centaur.ProxyConformance.Targets;
using Shouldly;

namespace Centaur.ProxyConformance.Fuzz;

/// <summary>A proxy that is sent nonsense. What it must keep: its process, its descriptors, its memory, the one route that its rule allows, and its secret.</summary>
sealed class Patient : IAsyncDisposable
{
    public const string Secret = "sk-fuzz-00f1/+9c2e";

    const int SpareDescriptors = 40;
    const long MostMemory = 400L << 20;

    /// <summary>More than the time that a head may take.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    static readonly SuiteConfig Config = new()
    {
        File = """
            transforms:
              - { name: allowlist, config: { rules: [{ host: api.vendor.test, methods: [GET, POST], paths: [/open/*] }] } }
              - name: secrets
                config: { secrets: [{ source: { type: env, var: FUZZ_KEY }, replace: { proxy_value: PLACEHOLDER_KEY, match_body: true }, rules: [{ host: api.vendor.test }] }] }
            postgres:
              listen: "127.0.0.1:0"
              client: { user: agent, password_env: CLIENT_PASSWORD, auth: password }
              upstreams: [{ database: shop, dsn: { type: env, var: SHOP } }]
            """,
        // A session that logs in ends there: nobody listens behind this name.
        Environment = new() { ["FUZZ_KEY"] = Secret, ["CLIENT_PASSWORD"] = "client-password", ["SHOP"] = $"postgresql://app:{Uri.EscapeDataString(Secret)}@dead.vendor.test/shop" },
    };

    readonly CancellationToken cancellationToken;
    int id;
    int descriptors;

    Patient(Scene scene, IRunningProxy proxy, CancellationToken cancellationToken) => (Scene, Proxy, this.cancellationToken) = (scene, proxy, cancellationToken);

    public Scene Scene { get; }

    public IRunningProxy Proxy { get; }

    public static async Task<Patient> Admit(CancellationToken cancellationToken)
    {
        var scene = await Scene.Start(Config, null, cancellationToken);
        var patient = new Patient(scene, await new CentaurTarget().Start(Config, scene, cancellationToken), cancellationToken);
        await patient.Ask();
        (patient.id, patient.descriptors) = (patient.Proxy.Id, patient.Descriptors());
        return patient;
    }

    /// <summary>Sends this, and nothing more; the proxy must come to an end with it.</summary>
    public async Task Take(string bytes, string what, string listener = "tunnel")
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var wire = await Wire.Connect(Proxy.Port(listener), patience.Token);
            await wire.Send(bytes, patience.Token);
            wire.EndSending();
            (await wire.ReadToEnd(patience.Token)).ShouldNotContain(Secret, Case.Sensitive, what);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ShouldAssertException($"The proxy hangs at {what}:\n{bytes}", late);
        }
        catch (Exception fault) when (fault is IOException or System.Net.Sockets.SocketException)
        {
            // It closed first.
        }

        Proxy.Lives.ShouldBeTrue($"{what}:\n{bytes}\n{Proxy.Log}");
        var outside = Scene.Origin.Seen.FirstOrDefault(request => request.Target.Split('?')[0] is not "/open" and var path && !path.StartsWith("/open/", StringComparison.Ordinal));
        outside.ShouldBeNull($"{what}:\n{bytes}");
        Scene.Origin.Seen.Clear();
    }

    /// <summary>The good request, with the secret in it.</summary>
    public async Task<Answer> Ask()
    {
        var answer = await WireClient.Ask(Proxy, new ClientScript { Target = "/open/x", Headers = ["X-Key: PLACEHOLDER_KEY"] }, cancellationToken);
        answer.Status.ShouldBe(200, answer.ToString());
        answer.Raw.ShouldNotContain(Secret);
        return answer;
    }

    /// <summary>It is whole after all that it took.</summary>
    public async Task Examine(string what)
    {
        await Ask();
        Proxy.Id.ShouldBe(id);
        // Connections that have just ended are on their way out.
        while (Descriptors() > descriptors + SpareDescriptors)
            await Task.Delay(50, cancellationToken);
        Memory().ShouldBeLessThan(MostMemory, what);
        (Proxy.Log + string.Join('\n', Proxy.Audit())).ShouldNotContain(Secret, Case.Sensitive, what);
        Proxy.Log.ShouldNotContain("Unhandled", Case.Insensitive, $"{what}\n{Proxy.Log}");
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Scene.DisposeAsync();
    }

    int Descriptors() => Directory.GetFiles($"/proc/{Proxy.Id}/fd").Length;

    long Memory() => long.Parse(
        File.ReadLines($"/proc/{Proxy.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
}
