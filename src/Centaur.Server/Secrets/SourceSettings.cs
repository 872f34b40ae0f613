using Centaur.Protocol.Broker;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>
/// The section <c>secrets</c>: where the broker finds Vault, 1Password and the folder of a Kubernetes Secret. This server has no use for it and keeps nothing of
/// it. It knows the keys, so that a typing error stops the start and <c>--check-config</c> finds it before a broker does.
/// </summary>
internal static class SourceSettings
{
    public static void Check(Settings settings)
    {
        var section = settings.Root.Section("secrets");
        var vault = section.Section(SecretSourceTypes.Vault);
        Address(vault);
        vault.OptionalText("namespace");
        File(vault, "ca_file");
        File(vault, "token_file");

        var connect = section.Section(SecretSourceTypes.OnePasswordConnect);
        Address(connect);
        File(connect, "ca_file");
        File(connect, "token_file");

        var commandLine = section.Section(SecretSourceTypes.OnePassword);
        commandLine.OptionalText("program");
        File(commandLine, "token_file");
        File(section.Section(SecretSourceTypes.Kubernetes), "folder");
    }

    static void Address(SettingsSection section)
    {
        if (section.OptionalText("address") is { } address && SourceForm.AddressProblem(address) is { } problem)
            section.Report("address", problem);
    }

    /// <summary>The broker runs in another folder and under another user, so a relative path would be another file there.</summary>
    static void File(SettingsSection section, string key)
    {
        if (section.OptionalText(key) is { } path && !Path.IsPathRooted(path))
            section.Report(key, $"\"{path}\" must be an absolute path");
    }
}
