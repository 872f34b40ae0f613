using System.Runtime.InteropServices;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Broker;
using Centaur.Proxy.Hosting;

// Read by the socket engine when the first socket opens: a request stays on the one thread that its bytes came on. Nothing here blocks that thread, and a
// second one would contend for the audit and for the processors that the sandbox itself needs.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1");
using var stopping = new CancellationTokenSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    return args switch
    {
        ["sandbox"] => await SandboxCommand.Run(withDatabases: false, stopping.Token),
        ["sandbox", ProxyDescriptors.PostgresArgument] => await SandboxCommand.Run(withDatabases: true, stopping.Token),
        ["broker", .. var rest] => await BrokerCommand.Run(BrokerOptions.Parse(rest), stopping.Token),
        ["--config", var path] => await StandaloneCommand.Run(path, stopping.Token),
        ["--help"] or ["-h"] => Say(Console.Out, Usage.Text, 0),
        _ => Say(Console.Error, Usage.Text, 2),
    };
}
catch (UsageException wrong)
{
    return Say(Console.Error, $"centaur-proxy: {wrong.Message}", 2);
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopping.Cancel();
}

static int Say(TextWriter where, string text, int code)
{
    where.WriteLine(text);
    return code;
}
