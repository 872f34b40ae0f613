using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Sources.OnePassword;

namespace Centaur.Proxy.Sources;

/// <summary>
/// Sets the sources up, each from its own section and its vendor's variables; a variable wins. A section that is given must be whole, or the start stops. What
/// stands only in the environment, which may be there for other programs, stops nothing: its source then says what is missing whenever it is asked.
/// </summary>
/// <param name="environment">The environment as it was at the start.</param>
/// <param name="settings">The operator's settings; null for none.</param>
sealed class SourceSetup(IReadOnlyDictionary<string, string> environment, YamlMap? settings)
{
    public Dictionary<string, IValueSource> Build(IValueSource files)
    {
        var sources = new Dictionary<string, IValueSource>(StringComparer.Ordinal)
        {
            [SecretSourceTypes.File] = files,
            [SecretSourceTypes.Environment] = new EnvironmentSource(environment),
            [SecretSourceTypes.Vault] = Make(SecretSourceTypes.Vault, "Vault", Vault),
            [SecretSourceTypes.OnePassword] = Make(SecretSourceTypes.OnePassword, "1Password's command line", CommandLine),
            [SecretSourceTypes.OnePasswordConnect] = Make(SecretSourceTypes.OnePasswordConnect, "1Password Connect", Connect),
            [SecretSourceTypes.Kubernetes] = Make(SecretSourceTypes.Kubernetes, "The folder of a Kubernetes Secret", Kubernetes),
        };
        settings?.Done();
        return sources;
    }

    IValueSource Make(string type, string what, Func<YamlMap?, Func<IValueSource>> read)
    {
        var map = settings?.Map(type);
        var make = read(map);
        map?.Done();
        try
        {
            return make();
        }
        catch (InvalidDataException wrong)
        {
            map?.Error(wrong.Message);
            return new UnconfiguredSource($"{what} is not set up for the broker: {wrong.Message}");
        }
    }

    Func<IValueSource> Vault(YamlMap? map)
    {
        var address = Text(map, "address", "VAULT_ADDR");
        var authority = Text(map, "ca_file", "VAULT_CACERT");
        var space = Text(map, "namespace", "VAULT_NAMESPACE");
        var tokenFile = map?.Text("token_file");
        return () => new VaultSource(Http(address, "VAULT_ADDR", authority), Token(SourceVariables.VaultToken, tokenFile), space);
    }

    Func<IValueSource> Connect(YamlMap? map)
    {
        var address = Text(map, "address", "OP_CONNECT_HOST");
        var authority = map?.Text("ca_file");
        var tokenFile = map?.Text("token_file");
        return () => new ConnectSource(Http(address, "OP_CONNECT_HOST", authority), Token(SourceVariables.ConnectToken, tokenFile));
    }

    Func<IValueSource> CommandLine(YamlMap? map)
    {
        var program = map?.Text("program") ?? "op";
        var tokenFile = map?.Text("token_file");
        return () => new CommandLineSource(program, environment.GetValueOrDefault("PATH") ?? "/usr/local/bin:/usr/bin:/bin", Token(SourceVariables.OnePasswordToken, tokenFile));
    }

    static Func<IValueSource> Kubernetes(YamlMap? map)
    {
        var folder = map?.Text("folder");
        return () => Path.IsPathRooted(folder) ? new KubernetesSource(folder) : throw new InvalidDataException("name its folder, as secrets.kubernetes.folder: /etc/centaur/secrets");
    }

    static SourceHttp Http(string? address, string variable, string? authority)
    {
        if (address is null)
            throw new InvalidDataException($"it needs an address: \"address\", or the variable {variable}");
        return SourceForm.AddressProblem(address) is { } problem ? throw new InvalidDataException(problem) : new SourceHttp(new Uri(address), Authority(authority));
    }

    static X509Certificate2Collection? Authority(string? file)
    {
        if (file is null)
            return null;
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(File.ReadAllText(file));
            return certificates.Count > 0 ? certificates : throw new InvalidDataException($"{file} holds no certificate in PEM");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InvalidDataException($"{file} cannot be read as certificates ({fault.GetType().Name})", fault);
        }
    }

    SourceToken Token(string variable, string? file)
    {
        if (Variable(variable) is { } value)
            return SourceToken.OfVariable(variable, value);
        return file is null ? throw new InvalidDataException($"it needs a token: the variable {variable}, or \"token_file\"") : SourceToken.OfFile(file);
    }

    string? Text(YamlMap? map, string key, string variable)
    {
        var written = map?.Text(key);
        return Variable(variable) ?? (written is { Length: > 0 } ? written : null);
    }

    string? Variable(string name) => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
}
