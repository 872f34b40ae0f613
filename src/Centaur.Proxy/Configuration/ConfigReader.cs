using Centaur.Protocol.Policy;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Transforms;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>
/// Reads <c>proxy.yaml</c>: the parts of iron-proxy's file that this proxy knows, and <c>map</c> and <c>audit</c> beside them. Strict: a key that nobody knows
/// stops the start, and all that is wrong is said at once.
/// </summary>
static class ConfigReader
{
    // As iron-proxy's proxy.max_request_body_bytes; here it concerns bodies that a transform must hold whole, and no others.
    const int DefaultLargestBody = 1 << 20;

    public static ProxyConfig ReadFile(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            return Read(reader, Path.GetFullPath(path));
        }
        catch (IOException fault)
        {
            throw new UsageException($"{path} cannot be read: {fault.Message}");
        }
    }

    public static ProxyConfig Read(TextReader text, string path)
    {
        var notes = new ConfigNotes();
        var root = new YamlMap(YamlMap.TopLevel, Load(text, path), notes);
        var config = Read(root, Path.GetDirectoryName(path) ?? "/", notes);
        root.Done();
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
    }

    static ProxyConfig Read(YamlMap root, string folder, ConfigNotes notes)
    {
        var listen = "";
        var largestBody = DefaultLargestBody;
        if (root.Map("proxy") is { } proxy)
        {
            listen = proxy.Required("tunnel_listen");
            proxy.NotNeeded("http_listen", "https_listen", "max_response_body_bytes", "upstream_response_header_timeout", "upstream_deny_cidrs");
            largestBody = proxy.Number("max_request_body_bytes") ?? largestBody;
            if (largestBody <= 0)
                proxy.Error("max_request_body_bytes must be larger than 0");
            proxy.Refuse("upstream_proxy", "is not supported yet");
            proxy.Done();
        }
        else
        {
            root.Error("\"proxy\" with \"tunnel_listen\" is needed");
        }

        var (certificate, key) = ("", "");
        if (root.Map("tls") is { } tls)
        {
            if (tls.Text("mode") is not (null or "mitm"))
                tls.Error("mode must be mitm");
            certificate = Path.Combine(folder, tls.Required("ca_cert"));
            key = Path.Combine(folder, tls.Required("ca_key"));
            tls.NotNeeded("cert_cache_size", "leaf_cert_expiry_hours");
            tls.Done();
        }
        else
        {
            root.Error("\"tls\" with \"ca_cert\" and \"ca_key\" is needed");
        }

        var metrics = root.Map("metrics");
        var metricsListen = metrics?.Text("listen");
        metrics?.Done();
        var audit = root.Map("audit");
        var auditFile = audit?.Text("file");
        audit?.Done();
        root.NotNeeded("dns", "management", "control_plane");

        var transforms = new TransformReader(folder, largestBody);
        foreach (var transform in root.Maps("transforms"))
            transforms.Read(transform);
        var postgres = PostgresReader.Read(root, folder, transforms.Sources);
        var map = root.Maps("map").Select(entry => ReadMap(entry, folder)).ToList();
        return new ProxyConfig
        {
            TunnelListen = listen,
            CaCertificateFile = certificate,
            CaKeyFile = key,
            MetricsListen = metricsListen,
            AuditFile = auditFile is null ? null : Path.Combine(folder, auditFile),
            LogLevel = Level(root.Map("log")),
            Policy = new ProxyPolicy { Version = 1, SandboxId = "standalone", Allow = transforms.Rules, Secrets = transforms.Grants, Map = map },
            Transforms = new TransformSet(transforms.Transforms, transforms.Stubs),
            Secrets = transforms.Sources,
            Postgres = postgres,
            Notices = notes.Notices,
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

    static LogLevel Level(YamlMap? log)
    {
        var text = log?.Text("level");
        LogLevel? level = text switch
        {
            null or "info" => LogLevel.Information,
            "debug" => LogLevel.Debug,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => null,
        };
        if (level is null)
            log!.Error("level must be debug, info, warn or error");
        log?.Done();
        return level ?? LogLevel.Information;
    }
}
