using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Configuration.Transforms;
using Centaur.Proxy.Hosting;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>
/// Reads <c>proxy.yaml</c>: the parts of iron-proxy's file that this proxy knows, and <c>map</c> and <c>audit</c> beside them. Strict: a key that nobody knows
/// stops the start, and all that is wrong is said at once. Each section has a reader of its own.
/// </summary>
static class ConfigReader
{
    /// <param name="path">The file.</param>
    /// <param name="environment">The variables that win over it.</param>
    /// <exception cref="UsageException">Something is wrong; the message lists all of it.</exception>
    public static ProxyConfig ReadFile(string path, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            using var reader = new StreamReader(path);
            return Read(reader, Path.GetFullPath(path), environment);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {fault.Message}");
        }
    }

    public static ProxyConfig Read(TextReader text, string path, IReadOnlyDictionary<string, string>? environment = null)
    {
        var notes = new ConfigNotes();
        var variables = new IronVariables(environment ?? new Dictionary<string, string>(), notes);
        var document = Load(text, path);
        variables.Apply(document);
        var root = new YamlMap(YamlMap.TopLevel, document, notes);
        var config = Read(root, Path.GetDirectoryName(path) ?? "/") with { Fixed = FixedKeys.Of(document) };
        root.Done();
        variables.RefuseUnknown(NamedVariables(config));
        return notes.Errors.Count == 0 ? config with { Notices = notes.Notices } : throw new UsageException($"{path} is not valid:\n  " + string.Join("\n  ", notes.Errors));
    }

    /// <param name="text">The file's text.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="mayBeEmpty">Whether a file without a document counts as one without keys.</param>
    /// <exception cref="UsageException">It is not one YAML document with keys.</exception>
    public static YamlMappingNode Load(TextReader text, string path, bool mayBeEmpty = false)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(text);
            return stream.Documents switch
            {
                [{ RootNode: YamlMappingNode root }] => root,
                [] or [{ RootNode: YamlScalarNode { Value: null or "" } }] when mayBeEmpty => new YamlMappingNode(),
                _ => throw new UsageException($"{path} must hold one YAML document with keys"),
            };
        }
        catch (YamlException fault)
        {
            throw new UsageException($"{path}, line {fault.Start.Line}: {fault.Message}");
        }
        catch (Exception fault) when (fault is not (UsageException or IOException))
        {
            // The parser falls over some texts, such as a bracket that is never closed.
            throw new UsageException($"{path} is not YAML; look for a bracket or a quote that is not closed");
        }
    }

    static ProxyConfig Read(YamlMap root, string folder)
    {
        var proxy = ProxyReader.Read(root);
        var tls = TlsConfig.Read(root, folder);
        var management = ManagementConfig.Read(root);
        var metrics = root.Map("metrics");
        var metricsListen = metrics is null ? null : ListenConfig.Read(metrics, "listen");
        metrics?.Done();
        var audit = root.Map("audit");
        var auditFile = audit?.Text("file");
        audit?.Done();
        ForeignKeys.ReadSections(root);

        var transforms = new TransformReader(folder, proxy.LargestBody, tls.SniOnly);
        foreach (var transform in root.Maps("transforms"))
            transforms.Read(transform);
        var postgres = PostgresReader.Read(root, folder, transforms.Sources);
        var map = root.Maps("map").Select(entry => ReadMap(entry, folder)).ToList();
        return new ProxyConfig
        {
            Listen = proxy.Listen with { Metrics = metricsListen, Management = management.Listen },
            Tls = tls,
            Limits = proxy.Limits with { Leaves = tls.Leaves },
            DialRules = proxy.Rules,
            Chain = proxy.Chain,
            ManagementKeyVariable = management.KeyVariable,
            AuditFile = auditFile is null ? null : Path.Combine(folder, auditFile),
            LogLevel = ReadLevel(root),
            Policy = new ProxyPolicy { Version = 1, SandboxId = "standalone", Allow = transforms.Rules, Secrets = transforms.Grants, Transforms = transforms.Transforms, Map = map },
            Secrets = transforms.Sources,
            Postgres = postgres,
            Fixed = new Dictionary<string, string>(),
        };
    }

    static UpstreamMap ReadMap(YamlMap entry, string folder)
    {
        var port = entry.Number("port") ?? 443;
        var authority = entry.Text("ca_cert") is { } file ? Path.Combine(folder, file) : null;
        if (authority is not null && !File.Exists(authority))
            entry.Error($"ca_cert {authority} does not exist");
        var map = new UpstreamMap(entry.Required("host"), port, entry.Required("address"), entry.Number("target_port") ?? port)
        {
            CaCertificate = authority is not null && File.Exists(authority) ? File.ReadAllText(authority) : null,
            Plaintext = entry.Flag("plaintext"),
            Secrets = entry.Texts("secrets"),
        };
        entry.Done();
        return map;
    }

    static LogLevel ReadLevel(YamlMap root)
    {
        if (root.Map("log") is not { } log)
            return LogLevel.Information;
        var level = log.OneOf("level", ["debug", "info", "warn", "warning", "error"], "info");
        log.Done();
        return level switch
        {
            "debug" => LogLevel.Debug,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        };
    }

    static HashSet<string> NamedVariables(ProxyConfig config) =>
        [config.ManagementKeyVariable, .. config.Secrets.Values.Where(secret => secret.Source.Type == SecretSourceTypes.Environment).Select(secret => secret.Source.Reference ?? "")];
}
