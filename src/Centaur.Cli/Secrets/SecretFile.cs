using System.Text;
using System.Text.RegularExpressions;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Secrets;

/// <summary>A secret's value as the broker reads it: one file of its name, 0600, the broker's own. Replaced as a whole or not at all.</summary>
internal static partial class SecretFile
{
    public static string Valid(string name) =>
        NameForm().IsMatch(name)
            ? name
            : throw new CliError(ExitCode.Usage, "That is not a name of a secret.", "Names are letters, digits and underscores, and begin with a letter or an underscore; 128 at most.");

    public static void Write(CliContext context, string name, string value)
    {
        var path = Path.Combine(context.Layout.SecretsFolder, name);
        var fresh = Path.Combine(context.Layout.SecretsFolder, $".{name}.new");
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var file = new FileStream(fresh, options))
        {
            file.Write(Encoding.UTF8.GetBytes(value));
            file.Flush(flushToDisk: true);
        }

        if (context.IsRoot)
            Native.SetOwner(fresh, HostLayout.BrokerUid, HostLayout.BrokerUid);
        File.Move(fresh, path, overwrite: true);
    }

    public static void Delete(CliContext context, string name) => File.Delete(Path.Combine(context.Layout.SecretsFolder, name));

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,127}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NameForm();
}
