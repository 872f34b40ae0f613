using System.Globalization;
using System.Text.RegularExpressions;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Postgres;

/// <summary>
/// Says early and in plain words what is wrong with a <c>DATABASE_URL</c>. The form is checked here; the version with <c>psql</c> where it is installed,
/// and by the server in any case. The password goes through the environment: arguments are visible to everybody on the machine.
/// </summary>
internal sealed partial class DatabaseUrlCheck(CliContext context)
{
    const string Example = "For example DATABASE_URL=postgresql://user:password@host:5432/centaur";

    public async Task Run(CancellationToken cancellationToken)
    {
        var text = context.Variable("DATABASE_URL")!;
        if (text.Contains("://", StringComparison.Ordinal))
            await CheckVersion(Parse(text), cancellationToken);
    }

    internal static Dictionary<string, string> Parse(string text)
    {
        var url = UrlForm().Match(text);
        if (!url.Success)
            throw Wrong("it is not of the form postgresql://…");

        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        void Set(string name, string value)
        {
            if (value.Length > 0)
                variables[name] = Uri.UnescapeDataString(value);
        }

        foreach (var (name, group) in new[] { ("PGUSER", "user"), ("PGPASSWORD", "password"), ("PGHOST", "host"), ("PGPORT", "port"), ("PGDATABASE", "database") })
            Set(name, url.Groups[group].Value);
        foreach (var pair in url.Groups["query"].Value.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)))
        {
            var name = pair[0].ToLowerInvariant() switch
            {
                "host" => "PGHOST",
                "port" => "PGPORT",
                "user" => "PGUSER",
                "password" => "PGPASSWORD",
                "sslmode" => "PGSSLMODE",
                "sslrootcert" => "PGSSLROOTCERT",
                _ => null,
            };
            if (name is not null && pair.Length == 2)
                Set(name, pair[1]);
        }

        if (!variables.ContainsKey("PGDATABASE"))
            throw Wrong("it names no database");
        return variables;
    }

    async Task CheckVersion(Dictionary<string, string> connection, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>(connection, StringComparer.Ordinal)
        {
            ["PATH"] = context.Variable("PATH") ?? "",
            ["PGCONNECT_TIMEOUT"] = "10",
            ["LC_ALL"] = "C.UTF-8",
        };
        var asked = await ProcessRun.Of(
            new ProcessCommand("psql", "--no-psqlrc", "--no-password", "-Atc", "show server_version_num") { Environment = environment }, cancellationToken);
        if (asked.ExitCode == 127)
            return;
        if (!asked.Succeeded || !int.TryParse(asked.Output.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new CliError(
                ExitCode.Prerequisite, "The database of DATABASE_URL does not take our connection.", remedy: "Correct DATABASE_URL, or unset it to use the embedded Postgres.")
            {
                Evidence = asked.Tail(3),
            };
        }

        if (number / 10_000 < PostgresBinaries.OldestMajor)
        {
            throw new CliError(
                ExitCode.Prerequisite, $"The database of DATABASE_URL is Postgres {number / 10_000}.", $"Centaur needs Postgres {PostgresBinaries.OldestMajor} or newer.",
                "Upgrade it, point DATABASE_URL at a newer one, or unset it to use the embedded Postgres.");
        }
    }

    static CliError Wrong(string why) => new(ExitCode.Prerequisite, $"DATABASE_URL cannot be used: {why}.", remedy: Example);

    /// <summary>As libpq reads it: unlike other URLs, this one may have a user and no host.</summary>
    [GeneratedRegex(
        @"^postgres(ql)?://((?<user>[^:@/?]*)(:(?<password>[^@/?]*))?@)?(\[(?<host>[^\]]*)\]|(?<host>[^:/?]*))(:(?<port>\d+))?(/(?<database>[^?]*))?(\?(?<query>.*))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UrlForm();
}
