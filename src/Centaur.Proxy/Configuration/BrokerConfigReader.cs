using Centaur.Proxy.Broker;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Sources;

namespace Centaur.Proxy.Configuration;

/// <summary>Reads the section <c>secrets</c> of <c>centaur.yaml</c>, which is the broker's. The other sections are the server's, and it checks them.</summary>
static class BrokerConfigReader
{
    const string Section = "secrets";

    /// <exception cref="UsageException">Something is wrong; the message lists all of it.</exception>
    public static IReadOnlyDictionary<string, IValueSource> Read(BrokerOptions options, IReadOnlyDictionary<string, string> environment)
    {
        var notes = new ConfigNotes();
        var settings = options.ConfigFile is { } path ? ReadFile(path, notes).Map(Section) : null;
        var sources = new SourceSetup(environment, settings).Build(new SecretsFolderSource(options.SecretsFolder));
        return notes.Errors.Count == 0 ? sources : throw new UsageException($"{options.ConfigFile} is not valid:\n  " + string.Join("\n  ", notes.Errors));
    }

    static YamlMap ReadFile(string path, ConfigNotes notes)
    {
        try
        {
            using var reader = new StreamReader(path);
            return new YamlMap(YamlMap.TopLevel, ConfigReader.Load(reader, path, mayBeEmpty: true), notes);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {fault.Message}");
        }
    }
}
