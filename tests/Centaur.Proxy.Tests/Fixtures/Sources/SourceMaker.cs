using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Sources;
using Shouldly;

namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>Makes a broker's reader from the settings and the environment that an operator would give.</summary>
static class SourceMaker
{
    public static SourceReader Reader(IReadOnlyDictionary<string, string>? environment = null, string? settings = null, string secretsFolder = "/nowhere")
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, settings ?? "");
            var options = new Proxy.Broker.BrokerOptions { SecretsFolder = secretsFolder, ControlSocket = "", FetchSocket = "", ConfigFile = file };
            return new SourceReader(BrokerConfigReader.Read(options, environment ?? new Dictionary<string, string>()));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>What stops the start.</summary>
    public static string Refusal(string settings, IReadOnlyDictionary<string, string>? environment = null) =>
        Should.Throw<UsageException>(() => Reader(environment, settings)).Message;

    public static Task<SourceAnswer> Read(this SourceReader reader, string source, string? jsonKey = null, CancellationToken cancellationToken = default) =>
        reader.Read("NAME", SourceForm.Read(source) with { JsonKey = jsonKey }, cancellationToken);

    public static string Text(this SourceAnswer answer) => Encoding.UTF8.GetString(answer.Value.ShouldNotBeNull(answer.ToString()));
}
