using System.Collections;
using System.Net;
using System.Runtime.InteropServices;
using Centaur.Runner.BuiltIn.Conversations;
using Centaur.Runner.BuiltIn.ModelApis;
using Centaur.Runner.BuiltIn.Tools;

namespace Centaur.Runner.BuiltIn;

/// <summary><c>centaur-runner agent</c>: the built-in harness, a process of its own in the jail. NDJSON in, canonical events out (contract §4.1).</summary>
internal static class AgentProgram
{
    public static async Task<int> Run(IReadOnlyList<string> words)
    {
        using var output = new AgentOutput(Console.OpenStandardOutput());
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value!);
        if (AgentOptions.Read(words, environment, Environment.CurrentDirectory, out var error) is not { } options)
        {
            await output.Emit(AgentEvents.Failed(error!), CancellationToken.None);
            return 2;
        }

        using var stopping = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stopping.Cancel();
        });

        // The proxy and the certificates come from HTTPS_PROXY and SSL_CERT_FILE, which the handler and OpenSSL read themselves.
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        };
        using var http = new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        var store = new SessionStore(options.SessionFolder);
        var (conversation, resumed) = await store.Open(options.ResumeSession, stopping.Token);
        var model = new RetryingModel(ModelClients.For(options, http), output, TimeProvider.System);
        var agent = new Agent(options, conversation, store, model, new ToolBox(options.Workspace), output, TimeProvider.System);
        if (options.ResumeSession is not null && !resumed)
            await output.Emit(AgentEvents.Status("The earlier session was not found; this is a new one."), stopping.Token);

        using var input = new AgentInput(Console.OpenStandardInput());
        var reading = input.Pump(stopping.Token);
        try
        {
            await foreach (var turn in input.Turns(stopping.Token))
                await agent.RunTurn(turn, stopping.Token);
            await reading;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Terminated: what ran was killed with its turn.
        }

        return 0;
    }
}
