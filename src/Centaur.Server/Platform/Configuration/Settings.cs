using System.Collections.ObjectModel;
using Centaur.Protocol.Host;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Centaur.Server.Platform.Configuration;

/// <summary>
/// What the operator wrote: one YAML file and the environment. Every slice converts its own section into typed options while it is added; then
/// <see cref="Verify"/> reports everything that is wrong, in one message. Nothing else in this program reads a file of settings or the environment.
/// </summary>
public sealed class Settings
{
    readonly IReadOnlyDictionary<string, string> environment;
    readonly List<SettingsSection> sections = [];
    readonly SortedSet<string> keys = new(StringComparer.Ordinal);
    readonly SortedSet<string> variables = new(StringComparer.Ordinal);
    readonly List<(long Line, string Text)> errors = [];
    readonly string file;

    Settings(IReadOnlyDictionary<string, string> environment, HostLayout layout, bool isRoot)
    {
        this.environment = environment;
        Host = HostIdentity.Of(layout, isRoot);
        file = Variable("CENTAUR_CONFIG") ?? layout.ConfigFile;
        Root = new SettingsSection(this, "", ReadFile());
    }

    /// <summary>This machine and the places of this Centaur on it.</summary>
    public HostIdentity Host { get; }

    public SettingsSection Root { get; }

    /// <summary>Every key that some slice reads, as <c>section.key</c>; items of lists are <c>section.key[]</c>.</summary>
    public IReadOnlyCollection<string> Keys => new ReadOnlyCollection<string>([.. keys]);

    /// <summary>Every environment variable that some slice reads.</summary>
    public IReadOnlyCollection<string> Variables => new ReadOnlyCollection<string>([.. variables]);

    /// <summary>Reads the environment and the file.</summary>
    /// <exception cref="SettingsException">The file cannot be read as YAML.</exception>
    public static Settings Load() =>
        Load(
            Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
            Environment.IsPrivilegedProcess);

    /// <summary>The same with an environment that somebody made.</summary>
    public static Settings Load(IReadOnlyDictionary<string, string> environment, bool isRoot) =>
        new(environment, HostLayout.Find(environment.GetValueOrDefault, isRoot ? 0u : UserId()), isRoot);

    /// <summary>A variable of the environment; null where it is unset or empty.</summary>
    public string? Variable(string name)
    {
        variables.Add(name);
        return environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>Call it once every slice has read its section.</summary>
    /// <exception cref="SettingsException">Something is wrong; the message lists all of it.</exception>
    public void Verify()
    {
        foreach (var section in sections)
            section.ReportUnknown();
        foreach (var name in environment.Keys.Where(n => n.StartsWith(KnownVariables.Prefix, StringComparison.Ordinal) && !KnownVariables.Names.Contains(n)).Order(StringComparer.Ordinal))
            errors.Add((long.MaxValue, new UnknownVariable(name, NearestName.Near(name, KnownVariables.Names)).ToString()));
        if (errors.Count > 0)
            throw new SettingsException(string.Join('\n', errors.OrderBy(e => e.Line).Select(e => e.Text).Distinct()));
    }

    internal void Know(SettingsSection section) => sections.Add(section);

    internal void KnowKey(string key) => keys.Add(key);

    internal void Report(Mark? at, string text) =>
        errors.Add(at is { } mark ? (mark.Line, $"{file}:{mark.Line}: {text}") : (long.MaxValue, text));

    YamlMappingNode? ReadFile()
    {
        if (!File.Exists(file))
        {
            if (environment.ContainsKey("CENTAUR_CONFIG") && Variable("CENTAUR_CONFIG") is not null)
                throw new SettingsException($"CENTAUR_CONFIG names {file}, which does not exist.");
            return null;
        }

        try
        {
            using var reader = new StreamReader(file);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents switch
            {
                [] => null,
                [{ RootNode: YamlMappingNode root }] => root,
                [{ RootNode: YamlScalarNode { Value: null or "" } }] => null,
                [_] => throw new SettingsException($"{file}:1: the file must be a mapping of sections, such as \"listen:\"."),
                _ => throw new SettingsException($"{file}: the file must hold one YAML document."),
            };
        }
        catch (YamlException e)
        {
            throw new SettingsException($"{file}:{e.Start.Line}: this is not YAML: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file} cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The parser falls over some texts, such as a bracket that is never closed.
            throw new SettingsException($"{file}: this is not YAML; look for a bracket or a quote that is not closed.");
        }
    }

    /// <summary>The effective user, which .NET has no name for: the second number of the line.</summary>
    static uint UserId() =>
        uint.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2], System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>The configuration is wrong. Its message is for the operator and holds no values of secrets; a retry does not help.</summary>
public sealed class SettingsException(string message) : Exception(message);
